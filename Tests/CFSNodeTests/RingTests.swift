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

/// One ring after the other: nodes of too many at a time take each other for dead.
@Suite(.serialized)
enum Rings {}

extension Rings {
    /// Goal: nodes with sockets and disks are a ring that keeps blocks.
    struct RingTests {
        @Test("what one gateway stored another one finds, on whatever socket", arguments: TestGeneration.allCases)
        func blocks(_ generation: TestGeneration) async throws {
            try await LocalRing.with(8, generation) { ring in
                let blocks = [1, 100, 2048, 8192, 60_000].map { TestBlock($0, length: $0) }
                let signed = try TestBlock("a root", version: 7)
                try await ring.gateway(1) { client in
                    for block in blocks + [signed] { same(try await block.insert(client), .ok) }
                }
                for index in [0, 4, 7] {
                    try await ring.gateway(index, socket: 1) { client in
                        for block in blocks + [signed] { same(try await block.fetch(client), block.bytes) }
                        same(try await TestBlock(3).fetch(client), nil)
                    }
                }
            }
        }

        @Test(
            "of a signed block the newest version counts, older ones are refused, forged ones too",
            arguments: TestGeneration.allCases)
        func versions(_ generation: TestGeneration) async throws {
            try await LocalRing.with(generation.fewestNodes, generation) { ring in
                let (old, new) = (try TestBlock("old", version: 7), try TestBlock("new", version: 8))
                try await ring.gateway(1) { client in
                    same(try await old.insert(client), .ok)
                    same(try await new.insert(client), .ok)
                    same(try await old.insert(client), .stale)
                    // The right bytes under another name, and a name of content that is another one's.
                    let key = BlockKey(ChordID(5), .keyHash)
                    same(try await client.insert(key, new.bytes, kind: .keyHash), .storeNotVerified)
                    same(try await client.insert(key, new.bytes, kind: .contentHash), .storeNotVerified)
                    same(try await client.insert(key, new.bytes, kind: .append), .error)
                }
                try await ring.gateway(5) { client in
                    same(try await new.fetch(client), new.bytes)
                }
            }
        }

        @Test("virtual nodes of few processes are a ring", arguments: TestGeneration.allCases)
        func virtualNodes(_ generation: TestGeneration) async throws {
            try await LocalRing.with(3, generation, change: { $0.virtualNodes = 5 }) { ring in
                let blocks = (0..<20).map { TestBlock($0) }
                try await ring.gateway(2) { client in
                    for block in blocks { same(try await block.insert(client), .ok) }
                }
                try await ring.gateway(0) { client in
                    for block in blocks { same(try await block.fetch(client), block.bytes) }
                }
                let ids = try await ring.control(0) { try await $0.call(Control1.ownNodes).nodes }
                #expect(ids.map(\.virtualNode) == Array(0..<5))
            }
        }

        @Test(
            "lsdctl sees who is on the ring and what is kept, and can have it left alone",
            arguments: TestGeneration.allCases)
        func control(_ generation: TestGeneration) async throws {
            try await LocalRing.with(generation.fewestNodes, generation) { ring in
                let block = TestBlock(1)
                try await ring.gateway(0) { same(try await block.insert($0), .ok) }
                try await ring.control(3) { client in
                    let me = try #require(try await client.call(Control1.ownNodes).nodes.first)
                    let table = try await client.call(Control1.locationTable, 0).nodes
                    #expect(table.first?.id == me.id && table.count == generation.fewestNodes)
                    #expect(table.dropFirst().contains { $0.answers > 0 && $0.latency > 0 })
                    let store = try await client.call(Control1.store)
                    #expect(store.fragments == 1 && store.bytes > 250 && store.signedBlocks == 0)
                    let question = Control1.Blocks(node: 0, kind: .contentHash, after: nil)
                    same(try await client.call(Control1.blocks, question).names, [block.key.id])
                    same(try await client.call(Control1.setStabilize, false), false)
                    same(try await client.call(Control1.setReplicate, Control1.SetReplicate(isEnabled: false)), false)
                    same(try await client.call(Control1.setStabilize, true), true)
                    let statistics = try await client.call(Control1.statistics, true)
                    #expect(statistics.interval > 0 && statistics.all.contains { $0.name == "answered: dhash store" })
                    let none = await #expect(throws: RPCError.self) { try await client.call(Control1.successors, 1) }
                    #expect(none?.code == .refused(.garbageArguments))
                }
            }
        }

        @Test(
            "a node that is told to end ends, and the others make its fragments anew",
            arguments: TestGeneration.allCases)
        func repair(_ generation: TestGeneration) async throws {
            let count = generation.fewestNodes + 2
            try await LocalRing.with(count, generation, change: { $0.dhash.replicaTimer = .milliseconds(200) }) {
                ring in
                // Each has a fragment of each: the ring is smaller than a block has fragments.
                let blocks = (0..<10).map { TestBlock($0) }
                try await ring.gateway(0) { client in
                    for block in blocks { same(try await block.insert(client), .ok) }
                }
                try await ring.control(count - 1) { _ = try? await $0.call(Control1.exit) }
                // Who comes in its place, before anybody has missed it, lacks all of them.
                let configuration = LocalRing.configuration(
                    generation, ring.directory.path + "/new", joining: ring.servers[0].address)
                var quick = configuration
                quick.dhash.replicaTimer = .milliseconds(200)
                let server = try await generation.start(quick)
                async let running: Void = server.run()
                let address = try #require(server.control)
                let isRepaired = try await eventually {
                    try await withClient(address) { try await $0.call(Control1.store).fragments } == 10
                }
                #expect(isRepaired)
                same(try await ring.isWhole(ring.servers.dropLast() + [server]), true)
                try await withClient(server.gateways[0]) { client in
                    let client = TestGateway(client: client, generation: generation)
                    for block in blocks { same(try await block.fetch(client), block.bytes) }
                }
                try await withClient(address) { _ = try? await $0.call(Control1.exit) }
                await running
            }
        }

        @Test("a full store refuses a block, and what is there stays", arguments: TestGeneration.allCases)
        func full(_ generation: TestGeneration) async throws {
            // For 28 blocks or so, of which each node keeps a half.
            try await LocalRing.with(generation.fewestNodes, generation, change: { $0.storeBytes = 30_000 }) { ring in
                try await ring.gateway(0) { client in
                    var stored: [TestBlock] = []
                    var refused = 0
                    for number in 0..<40 {
                        let block = TestBlock(number)
                        switch try await block.insert(client) {
                        case .ok: stored.append(block)
                        case .storeError: refused += 1
                        case let status: Issue.record("\(status)")
                        }
                    }
                    #expect(stored.count > 20 && refused > 0)
                    for block in stored { same(try await block.fetch(client), block.bytes) }
                }
            }
        }

        @Test("a full disk refuses a block, and nothing is broken", arguments: TestGeneration.allCases)
        func fullDisk(_ generation: TestGeneration) async throws {
            let directory = try TemporaryDirectory()
            try #require(mount("tmpfs", directory.path, "tmpfs", 0, "size=1500k") == 0, "tests run in the sandbox")
            defer { umount2(directory.path, Int32(MNT_DETACH)) }
            // The disk of all: with fewer than seven stores a block is not kept.
            try await LocalRing.with(
                generation.fewestNodes, generation,
                change: { $0.directory = directory.path + "/" + ($0.directory.split(separator: "/").last ?? "") }
            ) { ring in
                try await ring.gateway(0) { client in
                    var stored: [TestBlock] = []
                    var refused = 0
                    for number in 0..<400 where refused < 3 {
                        let block = TestBlock(number, length: 8192)
                        switch try await block.insert(client) {
                        case .ok: stored.append(block)
                        case .storeError: refused += 1
                        case let status: Issue.record("\(status)")
                        }
                    }
                    #expect(!stored.isEmpty && refused == 3)
                    for block in stored { same(try await block.fetch(client), block.bytes) }
                }
            }
        }
    }
}
