public import NIOCore
public import ONCRPC

/// What a server calls a file by (RFC 1813, `nfs_fh3`): bytes that only it understands.
public struct NFSHandle: XDRCodable, Hashable {
    /// The bytes: 64 at most.
    public var bytes: ByteBuffer

    /// A handle.
    public init(_ bytes: ByteBuffer) { self.bytes = bytes }

    /// Reads the bytes.
    public init(from reader: inout XDRReader) throws(XDRError) {
        bytes = try reader.readOpaque(max: NFSLimits.handleBytes)
    }

    /// Writes the bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.writeOpaque(bytes, max: NFSLimits.handleBytes)
    }
}

/// A name or a path (RFC 1813, `filename3` and `nfspath3`): bytes, as file systems have them. Whether a file can have it, the
/// server says.
public struct NFSName: XDRCodable, Hashable {
    /// The bytes.
    public var bytes: [UInt8]

    /// A name.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// A name.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// Reads the bytes.
    public init(from reader: inout XDRReader) throws(XDRError) {
        bytes = Array(try reader.readOpaque(max: NFSLimits.nameBytes).readableBytesView)
    }

    /// Writes the bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.writeOpaque(ByteBuffer(bytes: bytes), max: NFSLimits.nameBytes)
    }
}

/// What a file is (RFC 1813, `ftype3`).
public enum NFSType: UInt32, XDREnumeration, Hashable {
    /// A file.
    case regular = 1
    /// A directory.
    case directory = 2
    /// A block device.
    case blockDevice = 3
    /// A character device.
    case characterDevice = 4
    /// A symbolic link.
    case link = 5
    /// A socket.
    case socket = 6
    /// A named pipe.
    case pipe = 7
}

/// A time (RFC 1813, `nfstime3`) since the beginning of 1970, UTC.
public struct NFSTime: XDRCodable, Hashable {
    /// Whole seconds.
    public var seconds: UInt32
    /// Nanoseconds on top.
    public var nanoseconds: UInt32

    /// A time.
    public init(seconds: UInt32, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Reads both numbers.
    public init(from reader: inout XDRReader) throws(XDRError) {
        seconds = try reader.read()
        nanoseconds = try reader.read()
    }

    /// Writes both numbers.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(seconds)
        try writer.write(nanoseconds)
    }
}

/// The numbers of a device (RFC 1813, `specdata3`).
public struct NFSDevice: XDRCodable, Hashable {
    /// The major number.
    public var major: UInt32
    /// The minor number.
    public var minor: UInt32

    /// No device.
    public static let none = Self(major: 0, minor: 0)

    /// A device.
    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// Reads both numbers.
    public init(from reader: inout XDRReader) throws(XDRError) {
        major = try reader.read()
        minor = try reader.read()
    }

    /// Writes both numbers.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(major)
        try writer.write(minor)
    }
}

/// What is known of a file (RFC 1813, `fattr3`).
public struct NFSAttributes: XDRCodable, Hashable {
    /// What it is.
    public var type: NFSType
    /// Who may do what: the nine bits of Unix, and three more.
    public var mode: UInt32
    /// How many names it has.
    public var linkCount: UInt32
    /// Whose it is.
    public var user: UInt32
    /// Whose group it is.
    public var group: UInt32
    /// Its bytes.
    public var size: UInt64
    /// Bytes that it takes.
    public var used: UInt64
    /// Which device it is.
    public var device = NFSDevice.none
    /// The number of its file system.
    public var fileSystem: UInt64
    /// Its number there.
    public var fileID: UInt64
    /// When it was read last.
    public var accessed: NFSTime
    /// When its bytes changed.
    public var modified: NFSTime
    /// When it or its bytes changed.
    public var changed: NFSTime

    /// Attributes of something that is no device.
    public init(
        _ type: NFSType, mode: UInt32, linkCount: UInt32, user: UInt32, group: UInt32, size: UInt64, used: UInt64,
        fileSystem: UInt64, fileID: UInt64, accessed: NFSTime, modified: NFSTime, changed: NFSTime
    ) {
        self.type = type
        self.mode = mode
        self.linkCount = linkCount
        self.user = user
        self.group = group
        self.size = size
        self.used = used
        self.fileSystem = fileSystem
        self.fileID = fileID
        self.accessed = accessed
        self.modified = modified
        self.changed = changed
    }

    /// Reads the thirteen of them.
    public init(from reader: inout XDRReader) throws(XDRError) {
        type = try reader.read()
        mode = try reader.read()
        linkCount = try reader.read()
        user = try reader.read()
        group = try reader.read()
        size = try reader.read()
        used = try reader.read()
        device = try reader.read()
        fileSystem = try reader.read()
        fileID = try reader.read()
        accessed = try reader.read()
        modified = try reader.read()
        changed = try reader.read()
    }

    /// Writes the thirteen of them.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(type)
        for number in [mode, linkCount, user, group] { try writer.write(number) }
        try writer.write(size)
        try writer.write(used)
        try writer.write(device)
        try writer.write(fileSystem)
        try writer.write(fileID)
        for time in [accessed, modified, changed] { try writer.write(time) }
    }
}

/// A file's attributes after a procedure, if the server knows them (RFC 1813, `post_op_attr`).
public struct NFSAfter: XDRCodable, Hashable {
    /// The attributes.
    public var attributes: NFSAttributes?

    /// Attributes, or none.
    public init(_ attributes: NFSAttributes? = nil) { self.attributes = attributes }

    /// Reads them.
    public init(from reader: inout XDRReader) throws(XDRError) { attributes = try reader.readOptional() }

    /// Writes them.
    public func write(to writer: inout XDRWriter) throws(XDRError) { try writer.writeOptional(attributes) }
}

/// A file before and after a procedure, as far as the server knows (RFC 1813, `wcc_data`).
public struct NFSChange: XDRCodable, Hashable {
    /// What a client compares (RFC 1813, `wcc_attr`).
    public struct Before: XDRCodable, Hashable {
        /// Its bytes.
        public var size: UInt64
        /// When its bytes changed.
        public var modified: NFSTime
        /// When it or its bytes changed.
        public var changed: NFSTime

        /// Reads the three of them.
        public init(from reader: inout XDRReader) throws(XDRError) {
            size = try reader.read()
            modified = try reader.read()
            changed = try reader.read()
        }

        /// Writes the three of them.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(size)
            try writer.write(modified)
            try writer.write(changed)
        }
    }

    /// Before.
    public var before: Before?
    /// After.
    public var after: NFSAfter

    /// Nothing is known of before: nothing changed.
    public init(after attributes: NFSAttributes? = nil) { after = NFSAfter(attributes) }

    /// Reads both.
    public init(from reader: inout XDRReader) throws(XDRError) {
        before = try reader.readOptional()
        after = try reader.read()
    }

    /// Writes both.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.writeOptional(before)
        try writer.write(after)
    }
}
