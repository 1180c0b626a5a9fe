import CFSGeneration1
import CFSModel
import CFSProtocol
import CFSProtocol2
public import CFSRing
import NIOCore
import ONCRPC

extension RequestForm2 {
    /// What the call asks.
    ///
    /// - Throws: ``MessageFault``
    public var request: RingRequest {
        get throws(MessageFault) {
            switch program {
            case Transport2.program.number: .chord(try ping)
            case Chord2.program.number: .chord(try chord)
            case Chord2.fingers.program.number: .chord(try fingers)
            case Recroute2.program.number: .chord(try routed)
            case DHash2.program.number: .dhash(try dhash)
            case MerkleSync2.program.number: .merkle(try merkle)
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
            guard procedure == Transport2.null.number else { throw noHandler }
            _ = try read(Transport2.null)
            return .ping
        }
    }

    /// Ids of the node that is asked are read and not looked at: the wrapping says who it is.
    private var chord: ChordRequest {
        get throws(MessageFault) {
            switch procedure {
            case Chord2.program.null.number:
                // It takes an id, unlike other programs' procedures 0.
                _ = try read(Chord2.successor)
                return .ping
            case Chord2.successor.number:
                _ = try read(Chord2.successor)
                return .successor
            case Chord2.predecessor.number:
                _ = try read(Chord2.predecessor)
                return .predecessor
            case Chord2.successorList.number:
                _ = try read(Chord2.successorList)
                return .successorList
            case Chord2.predecessorList.number:
                _ = try read(Chord2.predecessorList)
                return .predecessorList
            case Chord2.notify.number: return .notify(try read(Chord2.notify).node)
            case Chord2.alert.number: return .alert(try read(Chord2.alert).node)
            case Chord2.testRange.number:
                let question = try read(Chord2.testRange)
                // What it asks of a layer that has no such question is not answered by silence about it.
                guard question.upcallProgram == 0 else { throw noHandler }
                return .testRange(question.id, failed: question.failed)
            case Chord2.findRoute.number:
                let question = try read(Chord2.findRoute)
                return .findRoute(question.id, withSuccessors: question.withSuccessors)
            default: throw noHandler
            }
        }
    }

    private var fingers: ChordRequest {
        get throws(MessageFault) {
            guard procedure == Chord2.fingers.number else { throw noHandler }
            _ = try read(Chord2.fingers)
            return .fingers
        }
    }

    private var routed: ChordRequest {
        get throws(MessageFault) {
            switch procedure {
            case Recroute2.route.number:
                let question = try read(Recroute2.route)
                // There is no layer above that could be asked.
                guard question.upcallProgram == 0 else { throw noHandler }
                return .route(
                    Route(
                        number: question.number, origin: question.origin.node, target: question.target,
                        wanted: Int(question.wanted), retries: Int(question.retries),
                        path: question.path.map(\.node)))
            case Recroute2.complete.number:
                let end = try read(Recroute2.complete)
                var successors: [ChordNode]?
                if case .found(let nodes) = end.outcome { successors = nodes.map(\.node) }
                return .routeEnd(
                    RouteEnd(
                        number: end.number, path: end.path.map(\.node), retries: Int(end.retries),
                        successors: successors))
            default: throw noHandler
            }
        }
    }

    private var dhash: DHashRequest {
        get throws(MessageFault) {
            switch procedure {
            case DHash2.store.number: return .store(try store)
            case DHash2.fetch.number: return .fetch(try fetch)
            case DHash2.offer.number: return .offer(try read(DHash2.offer).keys)
            default: throw noHandler
            }
        }
    }

    private var store: StoreRequest {
        get throws(MessageFault) {
            let question = try read(DHash2.store)
            guard let type = BlockType(question.kind) else { throw nonsense("a kind of block that is not kept") }
            guard let purpose = StorePurpose(question.purpose) else { throw nonsense("nothing to be kept") }
            return StoreRequest(
                key: BlockKey(question.key, type), purpose: purpose, size: Int(question.size),
                offset: Int(question.offset), data: Array(question.data.readableBytesView),
                expiration: question.expiration)
        }
    }

    private var fetch: FetchRequest {
        get throws(MessageFault) {
            let question = try read(DHash2.fetch)
            guard let type = BlockType(question.kind) else { throw nonsense("a kind of block that is not kept") }
            // More than fits into an answer is not what anybody can want.
            return FetchRequest(
                key: BlockKey(question.key, type), isFragment: question.isFragment,
                start: Int(question.start), length: min(Int(question.length), NodeLimits.pieceBytesMax),
                cookie: question.cookie)
        }
    }

    private var merkle: MerkleRequest {
        get throws(MessageFault) {
            switch procedure {
            case MerkleSync2.sendNode.number:
                let question = try read(MerkleSync2.sendNode)
                guard question.kind == .contentHash else { throw nonsense("no tree of such blocks") }
                guard let node = MerkleNode(question.node) else { throw nonsense("a part of no merkle tree") }
                return .sendNode(KeyRange(from: question.start, through: question.end), node)
            case MerkleSync2.getKeys.number:
                let question = try read(MerkleSync2.getKeys)
                guard question.kind == .contentHash else { throw nonsense("no tree of such blocks") }
                return .getKeys(KeyRange(from: question.start, through: question.end))
            default: throw noHandler
            }
        }
    }
}
