public import NIOCore
public import ONCRPC

// What procedures take and give that only read.

extension NFS {
    /// The results of ``lookUp``.
    public struct Found: XDRCodable, Hashable {
        /// What was found.
        public var file: NFSHandle
        /// Its attributes.
        public var attributes: NFSAfter
        /// The directory after it.
        public var directory: NFSAfter

        /// The parts.
        public init(file: NFSHandle, attributes: NFSAfter, directory: NFSAfter) {
            self.file = file
            self.attributes = attributes
            self.directory = directory
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            attributes = try reader.read()
            directory = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(attributes)
            try writer.write(directory)
        }
    }

    /// The arguments of ``access``.
    public struct AccessQuestion: XDRCodable, Hashable {
        /// The file.
        public var file: NFSHandle
        /// What the caller wants to do.
        public var rights: Access

        /// The parts.
        public init(file: NFSHandle, rights: Access) {
            self.file = file
            self.rights = rights
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            rights = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(rights)
        }
    }

    /// The results of ``access``.
    public struct AccessAnswer: XDRCodable, Hashable {
        /// The file after it.
        public var file: NFSAfter
        /// What of it he may.
        public var rights: Access

        /// The parts.
        public init(file: NFSAfter, rights: Access) {
            self.file = file
            self.rights = rights
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            rights = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(rights)
        }
    }

    /// The results of ``readLink``.
    public struct LinkTarget: XDRCodable, Hashable {
        /// The file after it.
        public var file: NFSAfter
        /// What it points to.
        public var target: NFSName

        /// The parts.
        public init(file: NFSAfter, target: NFSName) {
            self.file = file
            self.target = target
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            target = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(target)
        }
    }

    /// The arguments of ``read``.
    public struct ReadQuestion: XDRCodable, Hashable {
        /// The file.
        public var file: NFSHandle
        /// The first byte.
        public var offset: UInt64
        /// How many.
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

    /// The results of ``read``.
    public struct ReadAnswer: XDRCodable, Hashable {
        /// The file after it.
        public var file: NFSAfter
        /// How many bytes there are.
        public var count: UInt32
        /// Whether the file ends there.
        public var isEnd: Bool
        /// The bytes.
        public var data: ByteBuffer

        /// The parts.
        public init(file: NFSAfter, count: UInt32, isEnd: Bool, data: ByteBuffer) {
            self.file = file
            self.count = count
            self.isEnd = isEnd
            self.data = data
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            count = try reader.read()
            isEnd = try reader.read()
            data = try reader.readOpaque(max: NFSLimits.dataBytes)
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(count)
            try writer.write(isEnd)
            try writer.writeOpaque(data, max: NFSLimits.dataBytes)
        }
    }

    /// The results of ``room`` (RFC 1813, section 3.3.18).
    public struct Room: XDRCodable, Hashable {
        /// The file after it.
        public var file: NFSAfter
        /// All bytes.
        public var totalBytes: UInt64
        /// Free ones.
        public var freeBytes: UInt64
        /// Those that the caller may use.
        public var availableBytes: UInt64
        /// All files that there can be.
        public var totalFiles: UInt64
        /// Those that can still be made.
        public var freeFiles: UInt64
        /// Those that the caller may make.
        public var availableFiles: UInt64
        /// For how long this is likely to be so.
        public var seconds: UInt32

        /// The parts.
        public init(
            file: NFSAfter, totalBytes: UInt64, freeBytes: UInt64, availableBytes: UInt64, totalFiles: UInt64,
            freeFiles: UInt64, availableFiles: UInt64, seconds: UInt32
        ) {
            self.file = file
            self.totalBytes = totalBytes
            self.freeBytes = freeBytes
            self.availableBytes = availableBytes
            self.totalFiles = totalFiles
            self.freeFiles = freeFiles
            self.availableFiles = availableFiles
            self.seconds = seconds
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            totalBytes = try reader.read()
            freeBytes = try reader.read()
            availableBytes = try reader.read()
            totalFiles = try reader.read()
            freeFiles = try reader.read()
            availableFiles = try reader.read()
            seconds = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(totalBytes)
            try writer.write(freeBytes)
            try writer.write(availableBytes)
            try writer.write(totalFiles)
            try writer.write(freeFiles)
            try writer.write(availableFiles)
            try writer.write(seconds)
        }
    }

    /// The results of ``abilities`` (RFC 1813, section 3.3.19).
    public struct Abilities: XDRCodable, Hashable {
        /// The file after it.
        public var file: NFSAfter
        /// Bytes that one READ gives at most.
        public var readMax: UInt32
        /// Bytes that it had best be asked for.
        public var readBest: UInt32
        /// What they should be a multiple of.
        public var readMultiple: UInt32
        /// Bytes that one WRITE takes at most.
        public var writeMax: UInt32
        /// Bytes that it had best be given.
        public var writeBest: UInt32
        /// What they should be a multiple of.
        public var writeMultiple: UInt32
        /// Bytes that READDIR had best be asked for.
        public var directoryBest: UInt32
        /// The bytes of the largest file.
        public var fileBytesMax: UInt64
        /// How exactly times are kept.
        public var timeStep: NFSTime
        /// What else it can do.
        public var properties: Properties

        /// The parts.
        public init(
            file: NFSAfter, readMax: UInt32, readBest: UInt32, readMultiple: UInt32, writeMax: UInt32,
            writeBest: UInt32, writeMultiple: UInt32, directoryBest: UInt32, fileBytesMax: UInt64, timeStep: NFSTime,
            properties: Properties
        ) {
            self.file = file
            self.readMax = readMax
            self.readBest = readBest
            self.readMultiple = readMultiple
            self.writeMax = writeMax
            self.writeBest = writeBest
            self.writeMultiple = writeMultiple
            self.directoryBest = directoryBest
            self.fileBytesMax = fileBytesMax
            self.timeStep = timeStep
            self.properties = properties
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            readMax = try reader.read()
            readBest = try reader.read()
            readMultiple = try reader.read()
            writeMax = try reader.read()
            writeBest = try reader.read()
            writeMultiple = try reader.read()
            directoryBest = try reader.read()
            fileBytesMax = try reader.read()
            timeStep = try reader.read()
            properties = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(readMax)
            try writer.write(readBest)
            try writer.write(readMultiple)
            try writer.write(writeMax)
            try writer.write(writeBest)
            try writer.write(writeMultiple)
            try writer.write(directoryBest)
            try writer.write(fileBytesMax)
            try writer.write(timeStep)
            try writer.write(properties)
        }
    }

    /// The results of ``pathLimits`` (RFC 1813, section 3.3.20).
    public struct PathLimits: XDRCodable, Hashable {
        /// The file after it.
        public var file: NFSAfter
        /// Hard links that a file can have.
        public var linksMax: UInt32
        /// Bytes that a name can have.
        public var nameBytesMax: UInt32
        /// Whether longer ones are refused, not cut.
        public var refusesLongNames: Bool
        /// Whether only the superuser may change an owner.
        public var isChangeOfOwnerRestricted: Bool
        /// Whether names that differ in case are the same.
        public var ignoresCase: Bool
        /// Whether names keep their case.
        public var preservesCase: Bool

        /// The parts.
        public init(
            file: NFSAfter, linksMax: UInt32, nameBytesMax: UInt32, refusesLongNames: Bool,
            isChangeOfOwnerRestricted: Bool, ignoresCase: Bool, preservesCase: Bool
        ) {
            self.file = file
            self.linksMax = linksMax
            self.nameBytesMax = nameBytesMax
            self.refusesLongNames = refusesLongNames
            self.isChangeOfOwnerRestricted = isChangeOfOwnerRestricted
            self.ignoresCase = ignoresCase
            self.preservesCase = preservesCase
        }

        /// Reads the parts in their order.
        public init(from reader: inout XDRReader) throws(XDRError) {
            file = try reader.read()
            linksMax = try reader.read()
            nameBytesMax = try reader.read()
            refusesLongNames = try reader.read()
            isChangeOfOwnerRestricted = try reader.read()
            ignoresCase = try reader.read()
            preservesCase = try reader.read()
        }

        /// Writes the parts in their order.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(file)
            try writer.write(linksMax)
            try writer.write(nameBytesMax)
            try writer.write(refusesLongNames)
            try writer.write(isChangeOfOwnerRestricted)
            try writer.write(ignoresCase)
            try writer.write(preservesCase)
        }
    }

    /// What may be done with a file (RFC 1813, section 3.3.4).
    public struct Access: OptionSet, XDRCodable, Hashable {
        /// The bits.
        public var rawValue: UInt32

        /// Rights by their bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Read a file, list a directory.
        public static let read = Self(rawValue: 0x01)
        /// Look up a name in a directory.
        public static let lookUp = Self(rawValue: 0x02)
        /// Change what there is.
        public static let modify = Self(rawValue: 0x04)
        /// Add something.
        public static let extend = Self(rawValue: 0x08)
        /// Delete an entry.
        public static let delete = Self(rawValue: 0x10)
        /// Execute a file.
        public static let execute = Self(rawValue: 0x20)

        /// Reads the bits.
        public init(from reader: inout XDRReader) throws(XDRError) { self.init(rawValue: try reader.read()) }

        /// Writes the bits.
        public func write(to writer: inout XDRWriter) throws(XDRError) { try writer.write(rawValue) }
    }

    /// What a file system can do (RFC 1813, section 3.3.19).
    public struct Properties: OptionSet, XDRCodable, Hashable {
        /// The bits.
        public var rawValue: UInt32

        /// Properties by their bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// It has hard links.
        public static let links = Self(rawValue: 0x01)
        /// It has symbolic links.
        public static let symbolicLinks = Self(rawValue: 0x02)
        /// ``NFS/pathLimits`` is the same for all of its files.
        public static let isHomogeneous = Self(rawValue: 0x08)
        /// Times can be set.
        public static let setsTimes = Self(rawValue: 0x10)

        /// Reads the bits.
        public init(from reader: inout XDRReader) throws(XDRError) { self.init(rawValue: try reader.read()) }

        /// Writes the bits.
        public func write(to writer: inout XDRWriter) throws(XDRError) { try writer.write(rawValue) }
    }
}
