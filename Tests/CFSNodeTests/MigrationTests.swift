import CFSAdapter
import CFSModel
import CFSProtocol1
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing
import VersionKit

extension Rings {
    /// Goal: what one generation's ring keeps comes to the other one's, through real nodes of both.
    struct MigrationTests {
        @Test(
            "each node's migrator brings its part of the blocks, and nothing is missing in the end",
            arguments: TestGeneration.allCases)
        func between(_ source: TestGeneration) async throws {
            let destination: TestGeneration = source == .first ? .second : .first
            let blocks = (0..<40).map { TestBlock($0, length: 200 * ($0 + 1)) }
            let signed = try TestBlock("a root", version: 8)
            try await LocalRing.with(8, source) { old in
                try await old.gateway(0) { client in
                    for block in blocks + [signed] { same(try await block.insert(client), .ok) }
                }
                try await LocalRing.with(8, destination) { new in
                    // What clients wrote to both rings is not in the way, nor is a root that was older there.
                    try await new.gateway(3) { client in
                        same(try await blocks[7].insert(client), .ok)
                        same(try await TestBlock("a root", version: 7).insert(client), .ok)
                    }
                    for index in old.servers.indices {
                        let ends = (try Self.end(old, index), try Self.end(new, index))
                        try await CFSMigrator().run(
                            MigrationRun(from: ends.0, to: ends.1, say: { _ in }, wait: { _, _ in }))
                    }
                    try await new.gateway(5) { client in
                        for block in blocks + [signed] { same(try await block.fetch(client), block.bytes) }
                    }
                    // And they are where they were.
                    try await old.gateway(2) { same(try await blocks[3].fetch($0), blocks[3].bytes) }
                }
            }
        }

        private static func end(_ ring: LocalRing, _ index: Int) throws -> MigrationEnd {
            let gateway = try #require(ring.servers[index].gateways.last)
            guard case .tcp(let host, let port) = gateway else { throw MigrationError("no port") }
            return MigrationEnd(
                version: ring.generation == .first ? 1 : 2,
                client: try #require(Endpoint("\(host):\(port)")))
        }
    }
}
