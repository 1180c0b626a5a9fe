public import CFSGeneration1
public import CFSModel
public import CFSProtocol
public import CFSRing
public import NIOCore
public import ONCRPC

/// What differs between the generations for a process of nodes: the form of what they say, the numbers of their rings, and which
/// blocks are right.
public protocol RingGeneration: Sendable {
    /// How it writes nodes.
    associatedtype Node: NodeForm

    /// A question of one virtual node to another, wrapped.
    typealias Question = TransportQuestion<Node>
    /// The answer, wrapped.
    typealias Answer = TransportAnswer<Node>
    /// A question that is not wrapped.
    typealias Call = (program: UInt32, procedure: UInt32, arguments: ByteBuffer)

    /// 1 or 2.
    static var number: Int { get }
    /// How its rings are kept.
    static var chord: ChordParameters { get }
    /// How its blocks are kept.
    static var dhash: DHashParameters { get }
    /// Which blocks are right.
    static var rules: any BlockRules { get }
    /// The procedure that carries everything between processes.
    static var exchange: RPCProcedure<Question, Answer> { get }

    /// The call for a question.
    ///
    /// - Throws: `XDRError` if the generation has no words for it.
    static func call(_ request: RingRequest, to destination: ChordNode) throws(XDRError) -> Call
    /// What a call asks.
    static func request(of call: Call) throws(MessageFault) -> RingRequest
    /// The results for an answer of a node.
    ///
    /// - Throws: `XDRError` if they are longer than the protocol allows.
    static func results(
        _ reply: RingReply, to request: RingRequest, from node: ChordNode
    ) throws(XDRError) -> ByteBuffer
    /// What results say.
    ///
    /// - Throws: `XDRError` if they are none of the question's procedure.
    static func reply(_ results: ByteBuffer, to request: RingRequest) throws(XDRError) -> RingReply

    /// The program that clients speak with a process.
    static func gateway(_ keeper: any BlockKeeper) -> RPCService
}

/// Stores and fetches blocks for clients.
public protocol BlockKeeper: Sendable {
    /// Stores a block on the ring.
    ///
    /// - Parameter expiration: Until when, in seconds since 1970; 0: for ever, as always in generation 1.
    /// - Returns: The way to it.
    func insert(
        _ data: [UInt8], _ key: BlockKey, until expiration: UInt32
    ) async -> Result<[ChordNode], KeeperFailure>
    /// Fetches a block.
    func fetch(_ key: BlockKey) async -> Result<FetchedBlock, KeeperFailure>
}

/// Why a client does not get what it asked for.
public enum KeeperFailure: Error, Hashable, Sendable {
    /// The ring says why.
    case ring(DHashFailure)
    /// It took too long; whether a block was stored nobody knows.
    case timedOut
    /// The process ends, or too much is under way.
    case unavailable
}
