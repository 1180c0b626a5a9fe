import CFSModel
import CFSNode
import CFSProtocol1
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing

extension Rings {
    /// Goal: nodes of the two generations take nothing from each other, and go on.
    struct GenerationTests {
        @Test(
            "a node does not join a ring of the other generation: it is refused, which both count",
            arguments: TestGeneration.allCases)
        func joining(_ generation: TestGeneration) async throws {
            let other: TestGeneration = generation == .first ? .second : .first
            try await LocalRing.with(generation.fewestNodes, generation) { ring in
                let stranger = try await other.start(
                    LocalRing.configuration(other, ring.directory.path + "/other", joining: ring.servers[0].address))
                async let running: Void = stranger.run()
                let control = try #require(stranger.control)
                func count(_ name: String) async throws -> UInt64 {
                    try await withClient(control) { client in
                        try await client.call(Control1.statistics, false).all.first { $0.name.contains(name) }?.calls
                            ?? 0
                    }
                }
                same(try await eventually { try await count("try to join") > 1 }, true)
                #expect(try await count("answer that refuses") > 1)
                #expect(try await ring.count("calls refused", 0) > 1)
                // Nobody there has it in mind, and it has nobody behind itself.
                let port = Int32(stranger.address.port ?? 0)
                for index in ring.servers.indices {
                    let known = try await ring.control(index) { try await $0.call(Control1.locationTable, 0).nodes }
                    #expect(!known.contains { $0.port == port })
                }
                same(
                    try await withClient(control) { try await $0.call(Control1.successors, 0).nodes.map(\.port) },
                    [port])
                // The ring is as it was.
                let block = TestBlock(1)
                try await ring.gateway(0) { same(try await block.insert($0), .ok) }
                try await ring.gateway(1) { same(try await block.fetch($0), block.bytes) }
                try await withClient(control) { _ = try? await $0.call(Control1.exit) }
                await running
            }
        }
    }
}
