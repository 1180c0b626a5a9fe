import CFSGeneration1
public import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
public import CFSRing
public import NIOCore
public import ONCRPC

/// A question of the ring's as a call of 2008: program, procedure and arguments.
public struct RequestForm2: Hashable, Sendable {
    /// The program's number.
    public let program: UInt32
    /// The procedure's number.
    public let procedure: UInt32
    /// The arguments, as XDR.
    public let arguments: ByteBuffer

    /// A call as it came.
    public init(program: UInt32, procedure: UInt32, arguments: ByteBuffer) {
        self.program = program
        self.procedure = procedure
        self.arguments = arguments
    }

    private init<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments
    ) throws(XDRError) {
        program = procedure.program.number
        self.procedure = procedure.number
        self.arguments = try XDRWriter.bytes(of: arguments)
    }

    /// The call for a question.
    ///
    /// - Parameter destination: Who is asked: where 2008 wants an id and nothing else, it is that one's.
    /// - Throws: `XDRError` if it is longer than the protocol allows.
    public init(_ request: RingRequest, to destination: ChordNode) throws(XDRError) {
        switch request {
        case .chord(let request): try self.init(request, to: destination)
        case .dhash(let request): try self.init(request)
        case .merkle(let request): try self.init(request, to: destination)
        }
    }

    private init(_ request: ChordRequest, to destination: ChordNode) throws(XDRError) {
        let id = destination.id
        switch request {
        case .ping: try self.init(Transport2.null, XDRVoid())
        case .successor: try self.init(Chord2.successor, id)
        case .predecessor: try self.init(Chord2.predecessor, id)
        case .successorList: try self.init(Chord2.successorList, id)
        case .predecessorList: try self.init(Chord2.predecessorList, id)
        case .fingers: try self.init(Chord2.fingers, id)
        case .notify(let node): try self.init(Chord2.notify, Node2(node))
        case .alert(let node): try self.init(Chord2.alert, Node2(node))
        case .testRange(let id, let failed): try self.init(Chord2.testRange, ChordTestRange(id, failed: failed))
        case .findRoute(let id, let withSuccessors):
            try self.init(Chord2.findRoute, ChordFindRoute(id, withSuccessors: withSuccessors))
        case .route(let route):
            try self.init(
                Recroute2.route,
                Recroute2.Question(
                    number: route.number, origin: route.origin, target: route.target,
                    wanted: UInt32(clamping: route.wanted), retries: UInt32(clamping: route.retries), path: route.path))
        case .routeEnd(let end):
            let outcome =
                end.successors.map { Recroute2.Outcome.found($0.map { Node2($0) }) }
                ?? .failed(Node2(end.path.last ?? destination), status: ChordStatus.unreachable.rawValue)
            try self.init(
                Recroute2.complete,
                Recroute2.End(
                    number: end.number, path: end.path, retries: UInt32(clamping: end.retries), outcome: outcome))
        }
    }

    private init(_ request: DHashRequest) throws(XDRError) {
        switch request {
        case .store(let request):
            try self.init(
                DHash2.store,
                DHash2.Store(
                    key: request.key.id, kind: request.key.type.kind2,
                    data: ByteBuffer(bytes: request.data),
                    offset: Int32(clamping: request.offset), purpose: request.purpose.purpose2,
                    size: UInt32(clamping: request.size), expiration: request.expiration))
        case .fetch(let request):
            try self.init(
                DHash2.fetch,
                DHash2.Fetch(
                    key: request.key.id, kind: request.key.type.kind2, isFragment: request.isFragment,
                    start: Int32(clamping: request.start), length: Int32(clamping: request.length),
                    cookie: request.cookie))
        case .offer(let keys): try self.init(DHash2.offer, DHash2.Offer(keys))
        }
    }

    /// Only fragments are in trees.
    private init(_ request: MerkleRequest, to destination: ChordNode) throws(XDRError) {
        let number = UInt32(destination.address.virtualNode)
        switch request {
        case .sendNode(let range, let node):
            try self.init(
                MerkleSync2.sendNode,
                MerkleSync2.SendNode(
                    virtualNode: number, kind: .contentHash, start: range.start, end: range.end,
                    node: MerkleSync1.Node(node)))
        case .getKeys(let range):
            try self.init(
                MerkleSync2.getKeys,
                MerkleSync2.GetKeys(virtualNode: number, kind: .contentHash, start: range.start, end: range.end))
        }
    }
}
