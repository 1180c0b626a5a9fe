import CFSModel
import CFSProtocol
import CFSProtocol1
public import CFSRing
import NIOCore
import ONCRPC

extension RequestForm1 {
    /// What the call asks.
    ///
    /// - Throws: ``MessageFault``
    public var request: RingRequest {
        get throws(MessageFault) {
            switch program {
            case Transport1.program.number: .chord(try ping)
            case Chord1.program.number: .chord(try chord)
            case Fingers1.program.number: .chord(try fingers)
            case DHash1.program.number: .dhash(try dhash)
            case MerkleSync1.program.number: .merkle(try merkle)
            default: throw noHandler
            }
        }
    }

    private var noHandler: MessageFault { .noHandler(program: program, procedure: procedure) }

    private func read<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>
    ) throws(MessageFault) -> Arguments {
        do throws(XDRError) {
            return try procedure.arguments(from: arguments)
        } catch {
            throw .badArguments(error)
        }
    }

    private func nonsense(_ why: String) -> MessageFault { .badArguments(XDRError(.invalid(why), at: 0)) }

    private var ping: ChordRequest {
        get throws(MessageFault) {
            guard procedure == Transport1.null.number else { throw noHandler }
            _ = try read(Transport1.null)
            return .ping
        }
    }

    /// Ids of the node that is asked are read and not looked at: the wrapping says who it is.
    private var chord: ChordRequest {
        get throws(MessageFault) {
            switch procedure {
            case Chord1.program.null.number:
                // It takes an id, unlike other programs' procedures 0.
                _ = try read(Chord1.successor)
                return .ping
            case Chord1.successor.number:
                _ = try read(Chord1.successor)
                return .successor
            case Chord1.predecessor.number:
                _ = try read(Chord1.predecessor)
                return .predecessor
            case Chord1.successorList.number:
                _ = try read(Chord1.successorList)
                return .successorList
            case Chord1.predecessorList.number:
                _ = try read(Chord1.predecessorList)
                return .predecessorList
            case Chord1.notify.number: return .notify(try read(Chord1.notify).node)
            case Chord1.alert.number: return .alert(try read(Chord1.alert).node)
            case Chord1.testRange.number:
                let question = try read(Chord1.testRange)
                // What it asks of a layer that has no such question is not answered by silence about it.
                guard question.upcallProgram == 0 else { throw noHandler }
                return .testRange(question.id, failed: question.failed)
            case Chord1.findRoute.number:
                let question = try read(Chord1.findRoute)
                return .findRoute(question.id, withSuccessors: question.withSuccessors)
            default: throw noHandler
            }
        }
    }

    private var fingers: ChordRequest {
        get throws(MessageFault) {
            guard procedure == Fingers1.fingers.number else { throw noHandler }
            _ = try read(Fingers1.fingers)
            return .fingers
        }
    }

    private var dhash: DHashRequest {
        get throws(MessageFault) {
            switch procedure {
            case DHash1.store.number: return .store(try store)
            case DHash1.fetch.number: return .fetch(try fetch)
            case DHash1.offer.number: return .offer(try read(DHash1.offer).keys)
            default: throw noHandler
            }
        }
    }

    private var store: StoreRequest {
        get throws(MessageFault) {
            let question = try read(DHash1.store)
            guard let type = BlockType(question.kind) else { throw nonsense("a kind of block that is not kept") }
            guard (question.part == .fragment) == (question.purpose == .fragment) else {
                throw nonsense("a fragment that is none, or a block that is one")
            }
            return StoreRequest(
                key: BlockKey(question.key, type), purpose: StorePurpose(question.purpose), size: Int(question.size),
                offset: Int(question.offset), data: Array(question.data.readableBytesView))
        }
    }

    private var fetch: FetchRequest {
        get throws(MessageFault) {
            let question = try read(DHash1.fetch)
            guard let type = BlockType(question.kind) else { throw nonsense("a kind of block that is not kept") }
            // More than fits into an answer is not what anybody can want.
            return FetchRequest(
                key: BlockKey(question.key, type), isFragment: question.part == .fragment,
                start: Int(question.start), length: min(Int(question.length), NodeLimits1.pieceBytesMax),
                cookie: question.cookie)
        }
    }

    private var merkle: MerkleRequest {
        get throws(MessageFault) {
            switch procedure {
            case MerkleSync1.sendNode.number:
                let question = try read(MerkleSync1.sendNode)
                guard let node = MerkleNode(question.node) else { throw nonsense("a part of no merkle tree") }
                return .sendNode(KeyRange(from: question.start, through: question.end), node)
            case MerkleSync1.getKeys.number:
                let question = try read(MerkleSync1.getKeys)
                return .getKeys(KeyRange(from: question.start, through: question.end))
            default: throw noHandler
            }
        }
    }
}
