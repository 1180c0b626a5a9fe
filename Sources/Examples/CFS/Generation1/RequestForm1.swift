public import CFSModel
import CFSProtocol
import CFSProtocol1
public import CFSRing
public import NIOCore
public import ONCRPC

/// A question of the ring's as a call of 2004: program, procedure and arguments.
public struct RequestForm1: Hashable, Sendable {
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
    /// - Parameter destination: Who is asked: where 2004 wants an id and nothing else, it is that one's.
    /// - Throws: `XDRError` if it is longer than the protocol allows.
    public init(_ request: RingRequest, to destination: ChordNode) throws(XDRError) {
        switch request {
        case .chord(let request): try self.init(request, to: destination)
        case .dhash(let request): try self.init(request)
        case .merkle(let request): try self.init(request)
        }
    }

    private init(_ request: ChordRequest, to destination: ChordNode) throws(XDRError) {
        let id = destination.id
        switch request {
        case .ping: try self.init(Transport1.null, XDRVoid())
        case .successor: try self.init(Chord1.successor, id)
        case .predecessor: try self.init(Chord1.predecessor, id)
        case .successorList: try self.init(Chord1.successorList, id)
        case .predecessorList: try self.init(Chord1.predecessorList, id)
        case .fingers: try self.init(Fingers1.fingers, id)
        case .notify(let node): try self.init(Chord1.notify, Node1(node))
        case .alert(let node): try self.init(Chord1.alert, Node1(node))
        case .testRange(let id, let failed): try self.init(Chord1.testRange, Chord1.TestRange(id, failed: failed))
        case .findRoute(let id, let withSuccessors):
            try self.init(Chord1.findRoute, Chord1.FindRoute(id, withSuccessors: withSuccessors))
        case .route, .routeEnd: throw XDRError(.invalid("a question that generation 1 has not"), at: 0)
        }
    }

    private init(_ request: DHashRequest) throws(XDRError) {
        switch request {
        case .store(let request):
            try self.init(
                DHash1.store,
                DHash1.Store(
                    key: request.key.id, kind: request.key.type.kind1,
                    part: request.purpose == .fragment ? .fragment : .block, data: ByteBuffer(bytes: request.data),
                    offset: Int32(clamping: request.offset), purpose: request.purpose.purpose1,
                    size: UInt32(clamping: request.size)))
        case .fetch(let request):
            try self.init(
                DHash1.fetch,
                DHash1.Fetch(
                    key: request.key.id, kind: request.key.type.kind1, part: request.isFragment ? .fragment : .block,
                    start: Int32(clamping: request.start), length: Int32(clamping: request.length),
                    cookie: request.cookie))
        case .offer(let keys): try self.init(DHash1.offer, DHash1.Offer(keys))
        }
    }

    private init(_ request: MerkleRequest) throws(XDRError) {
        switch request {
        case .sendNode(let range, let node):
            try self.init(
                MerkleSync1.sendNode,
                MerkleSync1.SendNode(start: range.start, end: range.end, node: MerkleSync1.Node(node)))
        case .getKeys(let range):
            try self.init(MerkleSync1.getKeys, MerkleSync1.GetKeys(start: range.start, end: range.end))
        }
    }
}
