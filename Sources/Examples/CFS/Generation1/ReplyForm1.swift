public import CFSModel
import CFSProtocol
import CFSProtocol1
public import CFSRing
public import NIOCore
public import ONCRPC

/// The ring's answers as results of the procedures of 2004.
public enum ReplyForm1 {
    /// The results for an answer.
    ///
    /// - Parameters:
    ///   - request: What was asked.
    ///   - node: Who answers.
    /// - Throws: `XDRError` if they are longer than the protocol allows.
    public static func results(
        _ reply: RingReply, to request: RingRequest, from node: ChordNode
    ) throws(XDRError) -> ByteBuffer {
        switch (request, reply) {
        case (.chord(let request), .chord(let reply)): try results(reply, to: request)
        case (.dhash, .dhash(let reply)): try results(reply, from: node)
        case (.merkle(let request), .merkle(let reply)): try results(reply, to: request)
        default: throw XDRError(.invalid("an answer to another question"), at: 0)
        }
    }

    private static func results(_ reply: ChordReply, to request: ChordRequest) throws(XDRError) -> ByteBuffer {
        switch (request, reply) {
        case (.ping, _): return ByteBuffer()
        case (.notify, .failed(let failure)), (.alert, .failed(let failure)):
            return try XDRWriter.bytes(of: failure.status1)
        case (.notify, _), (.alert, _): return try XDRWriter.bytes(of: Chord1.Status.ok)
        case (.successor, .node(let node)), (.predecessor, .node(let node)):
            return try XDRWriter.bytes(of: Chord1.NodeResult.node(Node1(node)))
        case (.testRange, .inRange(let nodes)):
            return try XDRWriter.bytes(of: Chord1.TestRangeResult.inRange(nodes.map { Node1($0) }))
        case (.testRange, .notInRange(let node, let successors)):
            return try XDRWriter.bytes(
                of: Chord1.TestRangeResult.notInRange(Node1(node), successors: successors.map { Node1($0) }))
        case (_, .nodes(let nodes)):
            return try XDRWriter.bytes(of: Chord1.NodesResult.nodes(nodes.map { Node1($0) }))
        // All unions are alike in that a failure is the number alone.
        case (_, .failed(let failure)): return try XDRWriter.bytes(of: failure.status1)
        default: throw XDRError(.invalid("an answer to another question"), at: 0)
        }
    }

    private static func results(_ reply: DHashReply, from node: ChordNode) throws(XDRError) -> ByteBuffer {
        switch reply {
        case .stored(let wasPresent, let isDone):
            try XDRWriter.bytes(of: DHash1.StoreResult.stored(wasPresent: wasPresent, isDone: isDone, source: node.id))
        case .retry(let other): try XDRWriter.bytes(of: DHash1.StoreResult.retry(Node1(other)))
        case .piece(let data, let offset, let size, let cookie, _):
            try XDRWriter.bytes(
                of: DHash1.FetchResult.piece(
                    DHash1.Piece(
                        ByteBuffer(bytes: data), offset: Int32(clamping: offset), size: UInt32(clamping: size),
                        source: node.id, cookie: cookie)))
        case .offered(let answers):
            try XDRWriter.bytes(of: DHash1.OfferResult.answers(answers.map(\.status1)))
        case .failed(let failure): try XDRWriter.bytes(of: failure.status1)
        }
    }

    private static func results(_ reply: MerkleReply, to request: MerkleRequest) throws(XDRError) -> ByteBuffer {
        switch (request, reply) {
        case (.sendNode, .node(let node)):
            try XDRWriter.bytes(of: MerkleSync1.SendNodeResult.node(MerkleSync1.Node(node)))
        case (.getKeys, .keys(let keys, let hasMore)):
            try XDRWriter.bytes(
                of: MerkleSync1.GetKeysResult.keys(
                    keys.map { MerkleSync1.Hash(MerkleHash(key: $0)) }, hasMore: hasMore))
        case (_, .failed): try XDRWriter.bytes(of: MerkleSync1.Status.error)
        default: throw XDRError(.invalid("an answer to another question"), at: 0)
        }
    }
}
