public import CFSModel
import CFSProtocol
public import CFSProtocol1
public import ONCRPC

/// How nodes of 2008 find out which keys the other one has (`merkle_sync_prot.x`; program 344450, version 1): of which virtual node
/// and which kind of blocks is said with each question, and keys are numbers. Wrapped in ``Transport2``.
public enum MerkleSync2 {
    /// The program.
    public static let program = RPCProgram(344_450, version: 1, name: "merkle_sync (2008)")
    /// Here is a part of my tree, show me yours.
    public static let sendNode = RPCProcedure<SendNode, MerkleSync1.SendNodeResult>(
        program, 5, "SENDNODE", isRepeatable: true)
    /// Which keys are in a range?
    public static let getKeys = RPCProcedure<GetKeys, GetKeysResult>(program, 6, "GETKEYS", isRepeatable: true)

    /// The arguments of ``sendNode``, `sendnode_arg`.
    public struct SendNode: XDRCodable, Hashable {
        /// Whose keys, and of which blocks.
        public var virtualNode: UInt32
        /// Of which blocks.
        public var kind: Gateway2.Kind
        /// The first and the last key that matter.
        public var start, end: ChordID
        /// The sender's part.
        public var node: MerkleSync1.Node

        /// A question.
        public init(virtualNode: UInt32, kind: Gateway2.Kind, start: ChordID, end: ChordID, node: MerkleSync1.Node) {
            self.virtualNode = virtualNode
            self.kind = kind
            self.start = start
            self.end = end
            self.node = node
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            virtualNode = try reader.read()
            kind = try reader.read()
            start = try reader.read()
            end = try reader.read()
            node = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(virtualNode)
            try writer.write(kind)
            try writer.write(start)
            try writer.write(end)
            try writer.write(node)
        }
    }

    /// The arguments of ``getKeys``, `getkeys_arg`.
    public struct GetKeys: XDRCodable, Hashable {
        /// Whose keys.
        public var virtualNode: UInt32
        /// Of which blocks.
        public var kind: Gateway2.Kind
        /// The first and the last key that matter.
        public var start, end: ChordID

        /// A question.
        public init(virtualNode: UInt32, kind: Gateway2.Kind, start: ChordID, end: ChordID) {
            self.virtualNode = virtualNode
            self.kind = kind
            self.start = start
            self.end = end
        }

        /// Reads the arguments.
        public init(from reader: inout XDRReader) throws(XDRError) {
            virtualNode = try reader.read()
            kind = try reader.read()
            start = try reader.read()
            end = try reader.read()
        }

        /// Writes the arguments.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.write(virtualNode)
            try writer.write(kind)
            try writer.write(start)
            try writer.write(end)
        }
    }

    /// The answer to ``getKeys``, `getkeys_res`.
    public enum GetKeysResult: XDRCodable, Hashable {
        /// Keys in ascending order, and whether there are more.
        case keys([ChordID], hasMore: Bool)
        /// The question made no sense.
        case failed

        /// Reads the union.
        public init(from reader: inout XDRReader) throws(XDRError) {
            guard try reader.read(MerkleSync1.Status.self) == .ok else {
                self = .failed
                return
            }
            self = .keys(try reader.readArray(max: NodeLimits.merkleHashesMax), hasMore: try reader.read())
        }

        /// Writes the union.
        public func write(to writer: inout XDRWriter) throws(XDRError) {
            guard case .keys(let keys, let hasMore) = self else { return try writer.write(MerkleSync1.Status.error) }
            try writer.write(MerkleSync1.Status.ok)
            try writer.writeArray(keys, max: NodeLimits.merkleHashesMax)
            try writer.write(hasMore)
        }
    }
}
