import CFSBlocks
import CFSModel
import CFSNode
import CFSProtocol
import CFSProtocol1
import CFSRing
import Glibc
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing

/// A directory that is gone after the test: in memory, so that no test waits for a real disk.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/run/cfs-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw IOError(errnoCode: errno, reason: "mkdtemp") }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// Asks again until it is so, or much too long, and too often: a test that gets no processor for a while has not waited.
func eventually(_ limit: Duration = .seconds(30), _ condition: () async throws -> Bool) async throws -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + limit
    var tries = 0
    while clock.now < end || tries < 300 {
        tries += 1
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return false
}

/// Nodes in the test's own process, each with sockets and a disk of its own.
struct LocalRing {
    let generation: TestGeneration
    let directory: TemporaryDirectory
    var servers: [any TestNode] = []

    static func configuration(
        _ generation: TestGeneration, _ directory: String, joining address: SocketAddress?
    ) -> NodeConfiguration {
        var configuration = NodeConfiguration(generation.type, host: "127.0.0.1", port: 0, directory: directory)
        configuration.bootstrap = address.map { ("127.0.0.1", $0.port ?? 0) }
        configuration.gateways = [.unix(path: directory + ".gateway"), .tcp(host: "127.0.0.1", port: 0)]
        configuration.control = .unix(path: directory + ".control")
        configuration.quicken(by: 25)
        return configuration
    }

    /// Has so many nodes join each other, and runs `body` while they serve.
    static func with(
        _ count: Int, _ generation: TestGeneration, change: (inout NodeConfiguration) -> Void = { _ in },
        _ body: (LocalRing) async throws -> Void
    ) async throws {
        var ring = LocalRing(generation: generation, directory: try TemporaryDirectory())
        for index in 0..<count {
            var configuration = configuration(
                generation, "\(ring.directory.path)/\(index)", joining: ring.servers.first?.address)
            change(&configuration)
            ring.servers.append(try await generation.start(configuration))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in ring.servers { group.addTask { await server.run() } }
            defer { group.cancelAll() }
            for server in ring.servers { await server.untilJoined() }
            try #require(try await ring.isWhole())
            try await body(ring)
        }
    }

    /// Whether everybody knows everybody behind himself, as far as lists are long.
    func isWhole(_ nodes: [any TestNode]? = nil) async throws -> Bool {
        try await eventually {
            var ids: Set<ChordID> = []
            var lists: [Set<ChordID>] = []
            for address in (nodes ?? servers).compactMap(\.control) {
                try await withClient(address) { client in
                    for node in 0..<(try await client.call(Control1.ownNodes).nodes.count) {
                        let list = try await client.call(Control1.successors, Int32(node)).nodes.map(\.id)
                        ids.insert(list[0])
                        lists.append(Set(list))
                    }
                }
            }
            let length = generation.type.chord.neighbours + 1
            return lists.allSatisfy { $0.count == min(ids.count, length) && $0.isSubset(of: ids) }
        }
    }

    /// As a client of the ring's generation.
    func gateway<Result>(
        _ index: Int, socket: Int = 0, _ body: (TestGateway) async throws -> Result
    ) async throws -> Result {
        try await withClient(servers[index].gateways[socket]) {
            try await body(TestGateway(client: $0, generation: generation))
        }
    }

    func control<Result>(
        _ index: Int, _ body: (RPCStreamClient) async throws -> Result
    ) async throws -> Result {
        let address = try #require(servers[index].control)
        return try await withClient(address, body)
    }

    func count(_ name: String, _ index: Int) async throws -> UInt64 {
        try await control(index) { client in
            try await client.call(Control1.statistics, false).all.first { $0.name.contains(name) }?.calls ?? 0
        }
    }
}

func withClient<Result>(
    _ address: RPCAddress, _ body: (RPCStreamClient) async throws -> Result
) async throws -> Result {
    let client = try await RPCStreamClient.connect(to: address)
    do {
        let result = try await body(client)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}

/// Blocks of a test.
struct TestBlock {
    let key: BlockKey
    let bytes: ByteBuffer

    /// A block of content.
    init(_ number: Int, length: Int = 2048) {
        var random = Numbers(state: UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        bytes = ByteBuffer(bytes: (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
        key = BlockKey(ChordID(hashing: bytes.readableBytesView), .contentHash)
    }

    /// A signed block.
    init(_ text: String, version: UInt32, key: UInt8 = 1) throws {
        let signingKey = try #require(SigningKey(seed: Array(repeating: key, count: 32)))
        let block = SignedBlock(ByteBuffer(string: text), version: version, by: signingKey)
        bytes = try block.bytes
        self.key = BlockKey(block.name, .keyHash)
    }

    private var kind: Gateway1.Kind { key.type == .keyHash ? .keyHash : .contentHash }

    func insert(_ gateway: TestGateway, until expiration: UInt32? = nil) async throws -> Gateway1.Status {
        try await gateway.insert(key, bytes, kind: kind, until: expiration)
    }

    func find(_ gateway: TestGateway) async throws -> FoundBlock? { try await gateway.fetch(key, kind: kind) }

    func fetch(_ gateway: TestGateway) async throws -> ByteBuffer? { try await find(gateway)?.bytes }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            // SplitMix64.
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}

/// Expects two values to be the same, one of which had to be waited for.
func same<Value: Equatable>(
    _ value: Value, _ expected: Value, _ comment: Comment? = nil, at place: SourceLocation = #_sourceLocation
) {
    #expect(value == expected, comment, sourceLocation: place)
}
