import NIOCore
public import ONCRPC

/// The program with which a client of NFS finds its first handle (RFC 1813, appendix I): program 100005, version 3.
public enum Mount {
    /// The program.
    public static let program = RPCProgram(100_005, version: 3, name: "mount")

    /// The handle of a directory.
    public static let mount = RPCProcedure<Path, Answer>(program, 1, "MNT", isRepeatable: true)
    /// Who has mounted what.
    public static let dump = RPCProcedure<XDRVoid, Mounts>(program, 2, "DUMP", isRepeatable: true)
    /// A client has no use for a directory any more.
    public static let unmount = RPCProcedure<Path, XDRVoid>(program, 3, "UMNT", isRepeatable: true)
    /// A client has no use for any directory any more.
    public static let unmountAll = RPCProcedure<XDRVoid, XDRVoid>(program, 4, "UMNTALL", isRepeatable: true)
    /// What can be mounted.
    public static let exports = RPCProcedure<XDRVoid, Exports>(program, 5, "EXPORT", isRepeatable: true)

    /// How ``mount`` ended (RFC 1813, `mountstat3`).
    public enum Status: UInt32, XDREnumeration, Hashable, CaseIterable {
        /// Done.
        case ok = 0
        /// Only the owner may.
        case notOwner = 1
        /// There is no such directory.
        case noEntry = 2
        /// It failed.
        case io = 5
        /// This caller may not.
        case access = 13
        /// Not a directory.
        case notDirectory = 20
        /// A path that makes no sense.
        case invalid = 22
        /// A path that is too long.
        case nameTooLong = 63
        /// The server does not do this.
        case notSupported = 10_004
        /// The server failed.
        case serverFault = 10_006
    }

    /// A path on the server (RFC 1813, `dirpath`).
    public struct Path: XDRCodable, Hashable {
        /// The bytes.
        public var bytes: [UInt8]

        /// A path.
        public init(_ text: String) { bytes = Array(text.utf8) }

        /// Reads the bytes.
        public init(from reader: inout XDRReader) throws(XDRError) {
            bytes = Array(try reader.readOpaque(max: NFSLimits.mountPathBytes).readableBytesView)
        }

        /// Writes the bytes.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeOpaque(ByteBuffer(bytes: bytes), max: NFSLimits.mountPathBytes)
        }
    }

    /// The results of ``mount``: a union of the status.
    public enum Answer: XDRCodable, Hashable {
        /// The directory, and by what callers may say who they are.
        case mounted(NFSHandle, flavors: [UInt32])
        /// Not mounted; never ``Status/ok``.
        case failed(Status)

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let status: Status = try reader.read()
            self =
                status == .ok
                ? .mounted(try reader.read(), flavors: try reader.readArray(max: NFSLimits.mountItems))
                : .failed(status)
        }

        /// Writes the union.
        ///
        /// - Throws: `XDRError` if it failed with OK.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            switch self {
            case .mounted(let root, let flavors):
                try writer.write(Status.ok)
                try writer.write(root)
                try writer.writeArray(flavors, max: NFSLimits.mountItems)
            case .failed(let status):
                guard status != .ok else { throw XDRError(.invalid("a failure that is none"), at: writer.offset) }
                try writer.write(status)
            }
        }
    }

    /// The results of ``dump``.
    public struct Mounts: XDRCodable, Hashable {
        /// A client and a path.
        public struct Item: XDRCodable, Hashable {
            /// The client's host.
            public var host: String
            /// What it has mounted.
            public var path: Path

            /// Reads both.
            public init(from reader: inout XDRReader) throws(XDRError) {
                host = try reader.readString(max: NFSLimits.mountNameBytes)
                path = try reader.read()
            }

            /// Writes both.
            public func write(to writer: inout XDRWriter) throws(XDRError) {
                try writer.writeString(host, max: NFSLimits.mountNameBytes)
                try writer.write(path)
            }
        }

        /// Who has mounted what.
        public var items: [Item]

        /// Mounts.
        public init(_ items: [Item]) { self.items = items }

        /// Reads a list.
        public init(from reader: inout XDRReader) throws(XDRError) {
            items = try reader.readList(max: NFSLimits.mountItems)
        }

        /// Writes a list.
        public func write(to writer: inout XDRWriter) throws(XDRError) { try writer.writeList(items) }
    }

    /// The results of ``exports``.
    public struct Exports: XDRCodable, Hashable {
        /// A path, and who may mount it.
        public struct Item: XDRCodable, Hashable {
            /// The path.
            public var path: Path
            /// Who may mount it; empty: everybody.
            public var groups: [Group]

            /// A path for everybody.
            public init(_ path: Path) {
                self.path = path
                groups = []
            }

            /// Reads both.
            public init(from reader: inout XDRReader) throws(XDRError) {
                path = try reader.read()
                groups = try reader.readList(max: NFSLimits.mountItems)
            }

            /// Writes both.
            public func write(to writer: inout XDRWriter) throws(XDRError) {
                try writer.write(path)
                try writer.writeList(groups)
            }
        }

        /// The name of a host, or of several.
        public struct Group: XDRCodable, Hashable {
            /// The name.
            public var name: String

            /// Reads the name.
            public init(from reader: inout XDRReader) throws(XDRError) {
                name = try reader.readString(max: NFSLimits.mountNameBytes)
            }

            /// Writes the name.
            public func write(to writer: inout XDRWriter) throws(XDRError) {
                try writer.writeString(name, max: NFSLimits.mountNameBytes)
            }
        }

        /// What can be mounted.
        public var items: [Item]

        /// Exports.
        public init(_ items: [Item]) { self.items = items }

        /// Reads a list.
        public init(from reader: inout XDRReader) throws(XDRError) {
            items = try reader.readList(max: NFSLimits.mountItems)
        }

        /// Writes a list.
        public func write(to writer: inout XDRWriter) throws(XDRError) { try writer.writeList(items) }
    }
}
