import CFSModel
import CFSProtocol
import CFSProtocol1
public import CFSRing
public import NIOCore
public import ONCRPC

extension ReplyForm1 {
    /// What results say.
    ///
    /// - Throws: `XDRError` if they are none of the question's procedure.
    public static func reply(_ results: ByteBuffer, to request: RingRequest) throws(XDRError) -> RingReply {
        switch request {
        case .chord(let request): .chord(try reply(results, to: request))
        case .dhash(let request): .dhash(try reply(results, to: request))
        case .merkle(let request): .merkle(try reply(results, to: request))
        }
    }

    private static func reply(_ results: ByteBuffer, to request: ChordRequest) throws(XDRError) -> ChordReply {
        switch request {
        case .ping:
            _ = try Transport1.null.results(from: results)
            return .done
        case .notify, .alert:
            let status = try Chord1.notify.results(from: results)
            return status == .ok ? .done : .failed(ChordFailure(status))
        case .successor, .predecessor:
            switch try Chord1.successor.results(from: results) {
            case .node(let node): return .node(node.node)
            case .failed(let status): return .failed(ChordFailure(status))
            }
        case .successorList, .predecessorList, .fingers, .findRoute:
            switch try Chord1.successorList.results(from: results) {
            case .nodes(let nodes): return .nodes(nodes.map(\.node))
            case .failed(let status): return .failed(ChordFailure(status))
            }
        case .testRange:
            switch try Chord1.testRange.results(from: results) {
            case .inRange(let nodes): return .inRange(nodes.map(\.node))
            case .notInRange(let node, let successors):
                return .notInRange(node.node, successors: successors.map(\.node))
            case .failed(let status): return .failed(ChordFailure(status))
            }
        case .route, .routeEnd: throw XDRError(.invalid("a question that generation 1 has not"), at: 0)
        }
    }

    private static func reply(_ results: ByteBuffer, to request: DHashRequest) throws(XDRError) -> DHashReply {
        switch request {
        case .store:
            switch try DHash1.store.results(from: results) {
            case .stored(let wasPresent, let isDone, _): return .stored(wasPresent: wasPresent, isDone: isDone)
            case .retry(let node): return .retry(node.node)
            case .failed(let status): return .failed(DHashFailure(status))
            }
        case .fetch:
            switch try DHash1.fetch.results(from: results) {
            case .piece(let piece):
                return .piece(
                    Array(piece.data.readableBytesView), offset: Int(piece.offset), size: Int(piece.size),
                    cookie: piece.cookie)
            case .failed(let status): return .failed(DHashFailure(status))
            }
        case .offer:
            switch try DHash1.offer.results(from: results) {
            case .answers(let answers): return .offered(answers.map { OfferAnswer($0) })
            case .failed(let status): return .failed(DHashFailure(status))
            }
        }
    }

    private static func reply(_ results: ByteBuffer, to request: MerkleRequest) throws(XDRError) -> MerkleReply {
        switch request {
        case .sendNode:
            guard case .node(let node) = try MerkleSync1.sendNode.results(from: results) else { return .failed }
            guard let node = MerkleNode(node) else { throw XDRError(.invalid("a part of no merkle tree"), at: 0) }
            return .node(node)
        case .getKeys:
            guard case .keys(let keys, let hasMore) = try MerkleSync1.getKeys.results(from: results) else {
                return .failed
            }
            return .keys(keys.map(\.hash.key), hasMore: hasMore)
        }
    }
}
