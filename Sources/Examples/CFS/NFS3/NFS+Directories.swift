public import ONCRPC

// What procedures take and give that list directories. Cookies and verifiers are eight bytes each.

extension NFS {
    /// The arguments of ``readDirectory``.
    public struct DirectoryQuestion: XDRCodable, Hashable {
        /// The directory.
        public var directory: NFSHandle
        /// Behind which entry to go on; 0: from the beginning.
        public var cookie: UInt64
        /// What the server said with the cookie; 0 at the beginning.
        public var verifier: UInt64
        /// Bytes of the results, at most.
        public var count: UInt32

        /// The parts.
        public init(directory: NFSHandle, cookie: UInt64, verifier: UInt64, count: UInt32) {
            self.directory = directory
            self.cookie = cookie
            self.verifier = verifier
            self.count = count
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            directory = try reader.read()
            cookie = try reader.read()
            verifier = try reader.read()
            count = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(directory)
            try writer.write(cookie)
            try writer.write(verifier)
            try writer.write(count)
        }
    }

    /// The arguments of ``readDirectoryPlus``.
    public struct DirectoryPlusQuestion: XDRCodable, Hashable {
        /// The directory.
        public var directory: NFSHandle
        /// Behind which entry to go on; 0: from the beginning.
        public var cookie: UInt64
        /// What the server said with the cookie; 0 at the beginning.
        public var verifier: UInt64
        /// Bytes of names, numbers and cookies, at most.
        public var namesCount: UInt32
        /// Bytes of the results, at most.
        public var count: UInt32

        /// The parts.
        public init(directory: NFSHandle, cookie: UInt64, verifier: UInt64, namesCount: UInt32, count: UInt32) {
            self.directory = directory
            self.cookie = cookie
            self.verifier = verifier
            self.namesCount = namesCount
            self.count = count
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            directory = try reader.read()
            cookie = try reader.read()
            verifier = try reader.read()
            namesCount = try reader.read()
            count = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(directory)
            try writer.write(cookie)
            try writer.write(verifier)
            try writer.write(namesCount)
            try writer.write(count)
        }
    }

    /// An entry of ``readDirectory`` (RFC 1813, `entry3`).
    public struct DirectoryName: XDRCodable, Hashable {
        /// The number of the file.
        public var fileID: UInt64
        /// Its name.
        public var name: NFSName
        /// To go on behind it.
        public var cookie: UInt64

        /// The parts.
        public init(fileID: UInt64, name: NFSName, cookie: UInt64) {
            self.fileID = fileID
            self.name = name
            self.cookie = cookie
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            fileID = try reader.read()
            name = try reader.read()
            cookie = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(fileID)
            try writer.write(name)
            try writer.write(cookie)
        }
    }

    /// An entry of ``readDirectoryPlus`` (RFC 1813, `entryplus3`).
    public struct DirectoryNamePlus: XDRCodable, Hashable {
        /// The number of the file.
        public var fileID: UInt64
        /// Its name.
        public var name: NFSName
        /// To go on behind it.
        public var cookie: UInt64
        /// Its attributes.
        public var attributes: NFSAfter
        /// The file.
        public var file: NFSHandle?

        /// The parts.
        public init(fileID: UInt64, name: NFSName, cookie: UInt64, attributes: NFSAfter, file: NFSHandle?) {
            self.fileID = fileID
            self.name = name
            self.cookie = cookie
            self.attributes = attributes
            self.file = file
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            fileID = try reader.read()
            name = try reader.read()
            cookie = try reader.read()
            attributes = try reader.read()
            file = try reader.readOptional()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(fileID)
            try writer.write(name)
            try writer.write(cookie)
            try writer.write(attributes)
            try writer.writeOptional(file)
        }
    }

    /// The results of ``readDirectory`` and ``readDirectoryPlus``.
    public struct DirectoryAnswer<Entry: XDRCodable & Hashable>: XDRCodable, Hashable {
        /// The directory after it.
        public var directory: NFSAfter
        /// What to say with a cookie.
        public var verifier: UInt64
        /// Some entries.
        public var entries: [Entry]
        /// Whether these are the last ones.
        public var isEnd: Bool

        /// The parts.
        public init(directory: NFSAfter, verifier: UInt64, entries: [Entry], isEnd: Bool) {
            self.directory = directory
            self.verifier = verifier
            self.entries = entries
            self.isEnd = isEnd
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            directory = try reader.read()
            verifier = try reader.read()
            entries = try reader.readList(max: NFSLimits.entries)
            isEnd = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(directory)
            try writer.write(verifier)
            try writer.writeList(entries)
            try writer.write(isEnd)
        }
    }
}
