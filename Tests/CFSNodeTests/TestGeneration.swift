import CFSNode
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
import CFSRing
import NIOCore
import ONCRPC
import ONCRPCSockets

/// Whose nodes a test is about.
enum TestGeneration: Int, CaseIterable, Sendable {
    case first = 1
    case second = 2

    var type: any RingGeneration.Type {
        switch self {
        case .first: Generation1.self
        case .second: Generation2.self
        }
    }

    /// The smallest ring that keeps blocks of content.
    var fewestNodes: Int { type.dhash.fragmentsNeeded }

    var program: String { self == .first ? "cfs-lsd" : "cfs-lsd2" }

    func start(_ configuration: NodeConfiguration) async throws -> any TestNode {
        switch self {
        case .first: try await NodeServer<Generation1>.start(configuration)
        case .second: try await NodeServer<Generation2>.start(configuration)
        }
    }
}

/// A process of nodes, whichever generation's.
protocol TestNode: Sendable {
    var address: SocketAddress { get }
    var gateways: [RPCAddress] { get }
    var control: RPCAddress? { get }

    func untilJoined() async
    func run() async
}

extension NodeServer: TestNode {}

/// A block as a gateway gave it.
struct FoundBlock {
    let bytes: ByteBuffer
    /// 0 in generation 1.
    let expiration: UInt32
}

/// A gateway as a client of its generation uses it. What a gateway of 2008 says is told in the words of 2004.
struct TestGateway {
    let client: RPCStreamClient
    let generation: TestGeneration

    func insert(
        _ key: BlockKey, _ bytes: ByteBuffer, kind: Gateway1.Kind, until expiration: UInt32? = nil
    ) async throws -> Gateway1.Status {
        let insertion = Gateway1.Insertion(key: key.id, kind: kind, block: bytes)
        let result: Gateway1.InsertResult
        switch generation {
        case .first: result = try await client.call(Gateway1.insert, insertion)
        case .second:
            guard var insertion = Gateway2.Insertion(insertion) else { return .error }
            if let expiration {
                insertion.expiration = expiration
                insertion.options = .expirationSupplied
            }
            result = try await client.call(Gateway2.insert, insertion).of2004
        }
        if case .failed(let status) = result { return status }
        return .ok
    }

    func fetch(_ key: BlockKey, kind: Gateway1.Kind) async throws -> FoundBlock? {
        let retrieval = Gateway1.Retrieval(key: key.id, kind: kind)
        switch generation {
        case .first:
            guard case .found(let block) = try await client.call(Gateway1.retrieve, retrieval) else { return nil }
            return FoundBlock(bytes: block.block, expiration: 0)
        case .second:
            guard let retrieval = Gateway2.Retrieval(retrieval),
                case .found(let block) = try await client.call(Gateway2.retrieve, retrieval)
            else { return nil }
            return FoundBlock(bytes: block.block, expiration: block.expiration)
        }
    }
}
