public import CFSModel
import CFSProtocol
import NIOCore
public import ONCRPC

/// How nodes of 2004 find out which keys the other one has (`merkle_sync_prot.x`; program 344450, version 1). Wrapped in
/// ``Transport1``.
public enum MerkleSync1 {
    /// The program.
    public static let program = RPCProgram(344_450, version: 1, name: "merkle_sync (2004)")
    /// Here is a part of my tree, show me yours.
    public static let sendNode = RPCProcedure<SendNode, SendNodeResult>(program, 5, "SENDNODE", isRepeatable: true)
    /// Which keys are in a range?
    public static let getKeys = RPCProcedure<GetKeys, GetKeysResult>(program, 6, "GETKEYS", isRepeatable: true)

    /// How a question ended, `merkle_stat`.
    public enum Status: UInt32, XDREnumeration, Hashable, CaseIterable {
        /// Well.
        case ok = 0
        /// It made no sense.
        case error = 1
    }

    /// A hash or a key, 20 bytes, `merkle_hash`.
    public struct Hash: XDRCodable, Hashable {
        /// The hash.
        public var hash: MerkleHash

        /// A hash.
        public init(_ hash: MerkleHash) { self.hash = hash }

        /// Reads the 20 bytes.
        public init(from reader: inout XDRReader) throws(XDRError) {
            let bytes = try reader.readOpaque(count: ChordID.byteCount).readableBytesView
            guard let hash = MerkleHash(bytes: bytes) else { preconditionFailure("so many bytes were asked for") }
            self.hash = hash
        }

        /// Writes the 20 bytes.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeOpaque(ByteBuffer(bytes: hash.bytes), count: ChordID.byteCount)
        }
    }

    /// A part of a tree, `merkle_rpc_node`.
    public struct Node: XDRCodable, Hashable {
        /// How many times the circle was divided by 64.
        public var depth: UInt32
        /// The first key that could be in it.
        public var prefix: Hash
        /// Whether `children` are the keys themselves.
        public var isLeaf: Bool
        /// How many keys are in it.
        public var count: UInt64
        /// The hash over them.
        public var hash: Hash
        /// The hashes of the parts of it, or the keys.
        public var children: [Hash]

        /// A part.
        public init(depth: UInt32, prefix: Hash, isLeaf: Bool, count: UInt64, hash: Hash, children: [Hash]) {
            self.depth = depth
            self.prefix = prefix
            self.isLeaf = isLeaf
            self.count = count
            self.hash = hash
            self.children = children
        }

        /// Reads the part.
        public init(from reader: inout XDRReader) throws(XDRError) {
            depth = try reader.read()
            prefix = try reader.read()
            isLeaf = try reader.read()
            count = try reader.read()
            hash = try reader.read()
            children = try reader.readArray(max: NodeLimits1.merkleHashesMax)
        }

        /// Writes the part.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(depth)
            try writer.write(prefix)
            try writer.write(isLeaf)
            try writer.write(count)
            try writer.write(hash)
            try writer.writeArray(children, max: NodeLimits1.merkleHashesMax)
        }
    }

    /// The arguments of ``sendNode``, `sendnode_arg`.
    public struct SendNode: XDRCodable, Hashable {
        /// The first and the last key that matter.
        public var start, end: ChordID
        /// The sender's part.
        public var node: Node

        /// A question.
        public init(start: ChordID, end: ChordID, node: Node) {
            self.start = start
            self.end = end
            self.node = node
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            start = try reader.read()
            end = try reader.read()
            node = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(start)
            try writer.write(end)
            try writer.write(node)
        }
    }

    /// The answer to ``sendNode``, `sendnode_res`.
    public enum SendNodeResult: XDRCodable, Hashable {
        /// The asked one's part.
        case node(Node)
        /// The question made no sense.
        case failed

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            self = try reader.read(Status.self) == .ok ? .node(try reader.read()) : .failed
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            guard case .node(let node) = self else { return try writer.write(Status.error) }
            try writer.write(Status.ok)
            try writer.write(node)
        }
    }

    /// The arguments of ``getKeys``, `getkeys_arg`.
    public struct GetKeys: XDRCodable, Hashable {
        /// The first and the last key that matter.
        public var start, end: ChordID

        /// A question.
        public init(start: ChordID, end: ChordID) {
            self.start = start
            self.end = end
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            start = try reader.read()
            end = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(start)
            try writer.write(end)
        }
    }

    /// The answer to ``getKeys``, `getkeys_res`.
    public enum GetKeysResult: XDRCodable, Hashable {
        /// Keys in ascending order, and whether there are more.
        case keys([Hash], hasMore: Bool)
        /// The question made no sense.
        case failed

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            guard try reader.read(Status.self) == .ok else {
                self = .failed
                return
            }
            self = .keys(try reader.readArray(max: NodeLimits1.merkleHashesMax), hasMore: try reader.read())
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            guard case .keys(let keys, let hasMore) = self else { return try writer.write(Status.error) }
            try writer.write(Status.ok)
            try writer.writeArray(keys, max: NodeLimits1.merkleHashesMax)
            try writer.write(hasMore)
        }
    }
}
