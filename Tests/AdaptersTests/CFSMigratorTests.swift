import CFSAdapter
import CFSBlocks
import CFSClient
import CFSMemoryGateway
import CFSModel
import CFSProtocol
import CFSProtocol1
import ONCRPC
import ONCRPCSockets
import Synchronization
import Testing
import VersionKit

@Suite("CFSMigrator")
struct CFSMigratorTests {
    private let old = MemoryGateway(.of2004)
    private let new = MemoryGateway(.of2008)

    // MARK: A node that can list its blocks

    private static func node(_ port: UInt16) -> ChordNode {
        guard let address = NodeAddress(ipv4: 0x7F00_0001, port: port, virtualNode: 0) else {
            preconditionFailure("port 0")
        }
        return ChordNode(address)
    }

    /// What a node beside this gateway says of itself: it knows so many others.
    private func control(of gateway: MemoryGateway, others: UInt16) -> RPCService {
        var service = RPCService(Control1.program)
        service.on(Control1.ownNodes) { _, _ in Control1.Nodes([Control1.Node(Self.node(1))]) }
        service.on(Control1.locationTable) { _, _ in
            Control1.Nodes((1...others + 1).map { Control1.Node(Self.node($0)) })
        }
        service.on(Control1.blocks) { ask, _ in
            let names = gateway.blocks.filter { name, block in
                let isSigned = (try? SignedBlock(block, named: name)) != nil
                return isSigned == (ask.kind == .keyHash) && ask.after.map { $0 < name } ?? true
            }.keys
            // Few at a time, so that there are pages.
            return Control1.BlocksResult(ask.kind == .unauthenticated ? [] : Array(names.sorted().prefix(7)))
        }
        return service
    }

    private func withGateways(
        others: UInt16 = 0, _ body: (_ source: MigrationEnd, _ destination: MigrationEnd) async throws -> Void
    ) async throws {
        let loopback = RPCAddress.tcp(host: "127.0.0.1", port: 0)
        let first = try await RPCStreamServer.bind(
            to: loopback, services: [old.service, control(of: old, others: others)])
        let second = try await RPCStreamServer.bind(
            to: loopback, services: [new.service, control(of: new, others: others)])
        try await withThrowingDiscardingTaskGroup { group in
            for server in [first, second] { group.addTask { await server.serve() } }
            do { try await body(try Self.end(1, first), try Self.end(2, second)) } catch {
                for server in [first, second] { await server.close() }
                throw error
            }
            for server in [first, second] { await server.close() }
        }
    }

    private static func end(_ version: Version, _ server: RPCStreamServer) throws -> MigrationEnd {
        guard case .tcp(let host, let port) = server.address else { throw MigrationError("no port") }
        return MigrationEnd(version: version, client: try #require(Endpoint("\(host):\(port)")))
    }

    private func run(_ source: MigrationEnd, _ destination: MigrationEnd) async throws -> [String] {
        let lines = Lines()
        try await CFSMigrator().run(
            MigrationRun(from: source, to: destination, say: { lines.add($0) }, wait: { _, bytes in lines.wait(bytes) })
        )
        return lines.all
    }

    @discardableResult
    private func put(_ text: String, in gateway: MemoryGateway) -> ChordID {
        let block = ByteBuffer(string: text)
        let name = ChordID(hashing: block.readableBytesView)
        gateway.put(block, for: name)
        return name
    }

    private func root(_ version: UInt32) throws -> SignedBlock {
        let key = try #require(SigningKey(seed: Array(repeating: 9, count: 32)))
        return SignedBlock(ByteBuffer(string: "root \(version)"), version: version, by: key)
    }

    // MARK: Tests

    @Test("every block comes to the new ring, by pages, and is looked for once more")
    func all() async throws {
        for number in 0..<50 { put("block \(number)", in: old) }
        let root = try root(7)
        old.put(try root.bytes, for: root.name)
        try await withGateways { source, destination in
            let told = try await run(source, destination)
            #expect(told == ["progress 51 51", "verified 51"])
        }
        #expect(new.blocks == old.blocks)
    }

    @Test("what the new ring has is not copied; a signed block only if the old ring's is newer")
    func present() async throws {
        for number in 0..<5 { for gateway in [old, new] { put("block \(number)", in: gateway) } }
        for (older, newer) in [(old, new), (new, old)] as [(MemoryGateway, MemoryGateway)] {
            older.put(try root(7).bytes, for: try root(7).name)
            newer.put(try root(8).bytes, for: try root(7).name)
            try await withGateways { source, destination in
                let copied = newer === old ? 1 : 0
                let told = try await run(source, destination)
                #expect(told == ["progress 6 \(copied)", "verified 6"])
            }
            let (name, newest) = (try root(7).name, try root(8).bytes)
            #expect(new.blocks[name] == newest)
        }
    }

    @Test("it goes the other way, too")
    func back() async throws {
        for number in 0..<20 { put("block \(number)", in: new) }
        try await withGateways { source, destination in
            let told = try await run(destination, source)
            #expect(told == ["progress 20 20", "verified 20"])
        }
        #expect(new.blocks == old.blocks)
    }

    @Test("a wrong block of the old ring is not spread")
    func lies() async throws {
        let name = put("right", in: old)
        old.put(ByteBuffer(string: "wrong"), for: name)
        try await withGateways { source, destination in
            let told = try await run(source, destination)
            #expect(told == ["progress 1 0", "verified 1"])
        }
        #expect(new.blocks.isEmpty)
    }

    @Test("of many nodes each copies what it is among the first two to keep")
    func share() async throws {
        let others: UInt16 = 9
        let (me, nodes) = (Self.node(1).id, (1...others + 1).map { Self.node($0).id })
        let names = (0..<200).map { put("block \($0)", in: old) }
        let mine = names.filter { name in nodes.sorted { $0 &- name < $1 &- name }.prefix(2).contains(me) }
        try await withGateways(others: others) { source, destination in _ = try await run(source, destination) }
        #expect(Set(new.blocks.keys) == Set(mine) && !mine.isEmpty && mine.count < 150)
    }

    @Test("a new ring that keeps nothing is told of")
    func forgetful() async throws {
        put("block", in: old)
        let forgetful = MemoryGateway(.of2008) { _ in .forgetful }
        let server = try await RPCStreamServer.bind(
            to: .tcp(host: "127.0.0.1", port: 0), services: [forgetful.service, control(of: forgetful, others: 0)])
        async let serving: Void = server.serve()
        try await withGateways { source, _ in
            let destination = try Self.end(2, server)
            await #expect(throws: MigrationError.self) { try await run(source, destination) }
        }
        await server.close()
        await serving
    }
}

/// What a migrator told, without repetitions of where it is.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    func wait(_ bytes: Int) { precondition(bytes > 0) }
}
