import CFSGeneration1
public import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
public import CFSRing
public import NIOCore
public import ONCRPC

/// The ring's answers as results of the procedures of 2008.
public enum ReplyForm2 {
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
        case (.ping, _), (.routeEnd, _): return ByteBuffer()
        case (.route, .done): return try XDRWriter.bytes(of: Recroute2.Acceptance.accepted)
        case (.route, _): return try XDRWriter.bytes(of: Recroute2.Acceptance.rejected)
        case (.notify, .failed(let failure)), (.alert, .failed(let failure)):
            return try XDRWriter.bytes(of: failure.status1)
        case (.notify, _), (.alert, _): return try XDRWriter.bytes(of: ChordStatus.ok)
        case (.successor, .node(let node)), (.predecessor, .node(let node)):
            return try XDRWriter.bytes(of: Chord2.NodeResult.node(Node2(node)))
        case (.testRange, .inRange(let nodes)):
            return try XDRWriter.bytes(of: ChordTestRangeResult<Node2>.inRange(nodes.map { Node2($0) }))
        case (.testRange, .notInRange(let node, let successors)):
            return try XDRWriter.bytes(
                of: ChordTestRangeResult<Node2>.notInRange(Node2(node), successors: successors.map { Node2($0) }))
        case (_, .nodes(let nodes)):
            return try XDRWriter.bytes(of: Chord2.NodesResult.nodes(nodes.map { Node2($0) }))
        // All unions are alike in that a failure is the number alone.
        case (_, .failed(let failure)): return try XDRWriter.bytes(of: failure.status1)
        default: throw XDRError(.invalid("an answer to another question"), at: 0)
        }
    }

    private static func results(_ reply: DHashReply, from node: ChordNode) throws(XDRError) -> ByteBuffer {
        switch reply {
        case .stored(let wasPresent, let isDone):
            try XDRWriter.bytes(of: DHash2.StoreResult.stored(wasPresent: wasPresent, isDone: isDone, source: node.id))
        case .retry(let other): try XDRWriter.bytes(of: DHash2.StoreResult.retry(Node2(other)))
        case .piece(let data, let offset, let size, let cookie, let expiration):
            try XDRWriter.bytes(
                of: DHash2.FetchResult.piece(
                    DHash2.Piece(
                        ByteBuffer(bytes: data), offset: Int32(clamping: offset), size: UInt32(clamping: size),
                        expiration: expiration, source: node.id, cookie: cookie)))
        case .offered(let answers):
            try XDRWriter.bytes(of: DHash2.OfferResult.answers(answers.map(\.status1)))
        case .failed(let failure): try XDRWriter.bytes(of: failure.status2)
        }
    }

    private static func results(_ reply: MerkleReply, to request: MerkleRequest) throws(XDRError) -> ByteBuffer {
        switch (request, reply) {
        case (.sendNode, .node(let node)):
            try XDRWriter.bytes(of: MerkleSync1.SendNodeResult.node(MerkleSync1.Node(node)))
        case (.getKeys, .keys(let keys, let hasMore)):
            try XDRWriter.bytes(
                of: MerkleSync2.GetKeysResult.keys(keys, hasMore: hasMore))
        case (_, .failed): try XDRWriter.bytes(of: MerkleSync1.Status.error)
        default: throw XDRError(.invalid("an answer to another question"), at: 0)
        }
    }
}
