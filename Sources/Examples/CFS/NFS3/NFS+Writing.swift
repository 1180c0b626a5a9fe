public import NIOCore
public import ONCRPC

// What procedures take that change something: a server has to understand what it refuses.

extension NFS {
    /// The arguments of ``setAttributes``.
    public struct SetAttributes: XDRCodable, Hashable {
        /// The file.
        public var file: NFSHandle
        /// What to change.
        public var attributes: NewAttributes
        /// Only if it was changed last then.
        public var guardTime: NFSTime?

        /// The parts.
        public init(file: NFSHandle, attributes: NewAttributes, guardTime: NFSTime?) {
            self.file = file
            self.attributes = attributes
            self.guardTime = guardTime
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            attributes = try reader.read()
            guardTime = try reader.readOptional()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(attributes)
            try writer.writeOptional(guardTime)
        }
    }

    /// The arguments of ``write``.
    public struct Write: XDRCodable, Hashable {
        /// The file.
        public var file: NFSHandle
        /// The first byte.
        public var offset: UInt64
        /// How many.
        public var count: UInt32
        /// When it has to be on the disk.
        public var stability: Stability
        /// The bytes.
        public var data: ByteBuffer

        /// The parts.
        public init(file: NFSHandle, offset: UInt64, count: UInt32, stability: Stability, data: ByteBuffer) {
            self.file = file
            self.offset = offset
            self.count = count
            self.stability = stability
            self.data = data
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            offset = try reader.read()
            count = try reader.read()
            stability = try reader.read()
            data = try reader.readOpaque(max: NFSLimits.dataBytes)
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(offset)
            try writer.write(count)
            try writer.write(stability)
            try writer.writeOpaque(data, max: NFSLimits.dataBytes)
        }
    }

    /// The arguments of ``create``.
    public struct Create: XDRCodable, Hashable {
        /// Where.
        public var entry: DirectoryEntry
        /// What if it is there.
        public var how: CreateMode

        /// The parts.
        public init(entry: DirectoryEntry, how: CreateMode) {
            self.entry = entry
            self.how = how
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            entry = try reader.read()
            how = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(entry)
            try writer.write(how)
        }
    }

    /// The arguments of ``makeDirectory``.
    public struct MakeDirectory: XDRCodable, Hashable {
        /// Where.
        public var entry: DirectoryEntry
        /// With what attributes.
        public var attributes: NewAttributes

        /// The parts.
        public init(entry: DirectoryEntry, attributes: NewAttributes) {
            self.entry = entry
            self.attributes = attributes
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            entry = try reader.read()
            attributes = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(entry)
            try writer.write(attributes)
        }
    }

    /// The arguments of ``makeLink``.
    public struct MakeLink: XDRCodable, Hashable {
        /// Where.
        public var entry: DirectoryEntry
        /// With what attributes.
        public var attributes: NewAttributes
        /// What it points to.
        public var target: NFSName

        /// The parts.
        public init(entry: DirectoryEntry, attributes: NewAttributes, target: NFSName) {
            self.entry = entry
            self.attributes = attributes
            self.target = target
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            entry = try reader.read()
            attributes = try reader.read()
            target = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(entry)
            try writer.write(attributes)
            try writer.write(target)
        }
    }

    /// The arguments of ``rename``.
    public struct Rename: XDRCodable, Hashable {
        /// The name that it has.
        public var from: DirectoryEntry
        /// The name that it gets.
        public var to: DirectoryEntry

        /// The parts.
        public init(from: DirectoryEntry, to: DirectoryEntry) {
            self.from = from
            self.to = to
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            from = try reader.read()
            to = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(from)
            try writer.write(to)
        }
    }

    /// The arguments of ``link``.
    public struct Link: XDRCodable, Hashable {
        /// The file.
        public var file: NFSHandle
        /// The name that it gets.
        public var entry: DirectoryEntry

        /// The parts.
        public init(file: NFSHandle, entry: DirectoryEntry) {
            self.file = file
            self.entry = entry
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            entry = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(entry)
        }
    }

    /// The arguments of ``commit``.
    public struct Commit: XDRCodable, Hashable {
        /// The file.
        public var file: NFSHandle
        /// The first byte.
        public var offset: UInt64
        /// How many; 0: all behind it.
        public var count: UInt32

        /// The parts.
        public init(file: NFSHandle, offset: UInt64, count: UInt32) {
            self.file = file
            self.offset = offset
            self.count = count
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            offset = try reader.read()
            count = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(offset)
            try writer.write(count)
        }
    }

    /// Attributes to be set (RFC 1813, `sattr3`).
    public struct NewAttributes: XDRCodable, Hashable {
        /// The mode.
        public var mode: UInt32?
        /// The owner.
        public var user: UInt32?
        /// The group.
        public var group: UInt32?
        /// The size.
        public var size: UInt64?
        /// When it was read last.
        public var accessed: NewTime
        /// When its bytes changed.
        public var modified: NewTime

        /// The parts.
        public init(mode: UInt32?, user: UInt32?, group: UInt32?, size: UInt64?, accessed: NewTime, modified: NewTime) {
            self.mode = mode
            self.user = user
            self.group = group
            self.size = size
            self.accessed = accessed
            self.modified = modified
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            mode = try reader.readOptional()
            user = try reader.readOptional()
            group = try reader.readOptional()
            size = try reader.readOptional()
            accessed = try reader.read()
            modified = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeOptional(mode)
            try writer.writeOptional(user)
            try writer.writeOptional(group)
            try writer.writeOptional(size)
            try writer.write(accessed)
            try writer.write(modified)
        }
    }

    /// A time to be set (RFC 1813, `set_atime`).
    public enum NewTime: XDRCodable, Hashable {
        /// As it is.
        case unchanged
        /// The server's time.
        case serverTime
        /// This one.
        case at(NFSTime)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let offset = reader.offset
            switch try reader.read(UInt32.self) {
            case 0: self = .unchanged
            case 1: self = .serverTime
            case 2: self = .at(try reader.read())
            case let number: throw XDRError(.unknownCase(type: "time_how", number: number), at: offset)
            }
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .unchanged: try writer.write(UInt32(0))
            case .serverTime: try writer.write(UInt32(1))
            case .at(let time):
                try writer.write(UInt32(2))
                try writer.write(time)
            }
        }
    }

    /// When what is written has to be on the disk (RFC 1813, `stable_how`).
    public enum Stability: UInt32, XDREnumeration, Hashable {
        /// Some time.
        case unstable = 0
        /// The bytes, before the answer.
        case data = 1
        /// All of it, before the answer.
        case file = 2
    }

    /// What to do if a file to be made is there (RFC 1813, `createhow3`).
    public enum CreateMode: XDRCodable, Hashable {
        /// Nothing.
        case unchecked(NewAttributes)
        /// Fail.
        case guarded(NewAttributes)
        /// Fail, unless the same call made it: eight bytes tell.
        case exclusive(UInt64)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let offset = reader.offset
            switch try reader.read(UInt32.self) {
            case 0: self = .unchecked(try reader.read())
            case 1: self = .guarded(try reader.read())
            case 2: self = .exclusive(try reader.read())
            case let number: throw XDRError(.unknownCase(type: "createmode3", number: number), at: offset)
            }
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .unchecked(let attributes):
                try writer.write(UInt32(0))
                try writer.write(attributes)
            case .guarded(let attributes):
                try writer.write(UInt32(1))
                try writer.write(attributes)
            case .exclusive(let verifier):
                try writer.write(UInt32(2))
                try writer.write(verifier)
            }
        }
    }

    /// The arguments of ``makeNode``.
    public struct MakeNode: XDRCodable, Hashable {
        /// Where.
        public var entry: DirectoryEntry
        /// What.
        public var type: NFSType
        /// With what attributes; nil for what cannot be made so.
        public var attributes: NewAttributes?
        /// Which device it is to be.
        public var device: NFSDevice?

        /// Reads the parts; which there are depends on the type (RFC 1813, `mknoddata3`).
        public init(from reader: inout XDRReader) throws(XDRError) {
            entry = try reader.read()
            type = try reader.read()
            switch type {
            case .blockDevice, .characterDevice:
                attributes = .some(try reader.read())
                device = .some(try reader.read())
            case .socket, .pipe: attributes = .some(try reader.read())
            case .regular, .directory, .link: break
            }
        }

        /// Writes the parts.
        ///
        /// - Throws: `XDRError` if there are others than the type has.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            let offset = writer.offset
            try writer.write(entry)
            try writer.write(type)
            let isDevice = type == .blockDevice || type == .characterDevice
            guard (device != nil) == isDevice, (attributes != nil) == (isDevice || type == .socket || type == .pipe)
            else { throw XDRError(.invalid("attributes that a node of this type has not"), at: offset) }
            if let attributes { try writer.write(attributes) }
            if let device { try writer.write(device) }
        }
    }
}
