import CFSModel
import CFSNode
import CFSProtocol1
import ONCRPC
import ONCRPCSockets
import Synchronization
import Testing

extension Rings {
    /// Goal: nodes of generation 2 keep a block until its time is over by their own clocks, and no other block goes away.
    struct ExpirationTests {
        /// A time of day that a test sets.
        private final class Day: Sendable {
            private let seconds = Mutex<Int64>(1_700_000_000)

            var now: Int64 { seconds.withLock { $0 } }
            var inAnHour: UInt32 { UInt32(now + 3600) }

            func advance(by seconds: Int64) { self.seconds.withLock { $0 += seconds } }
        }

        @Test(
            "blocks go away when their time is over, from all disks; those without a time stay, and so do those prolonged"
        )
        func expiry() async throws {
            let day = Day()
            try await LocalRing.with(8, .second, change: { $0.timeOfDay = { day.now } }) { ring in
                let (short, lasting, prolonged) = (TestBlock(1), TestBlock(2), TestBlock(3))
                let (signed, root) = (try TestBlock("a", version: 1, key: 1), try TestBlock("b", version: 1, key: 2))
                let end = day.inAnHour
                try await ring.gateway(1) { gateway in
                    for block in [short, prolonged, signed] { same(try await block.insert(gateway, until: end), .ok) }
                    for block in [lasting, root] { same(try await block.insert(gateway), .ok) }
                    same(try await prolonged.insert(gateway, until: end + 3600), .ok)
                    // What is over already is not taken.
                    same(try await TestBlock(4).insert(gateway, until: UInt32(day.now)), .error)
                }
                try await ring.gateway(6) { gateway in
                    for (block, time) in [
                        (short, end), (signed, end), (lasting, 0), (root, 0), (prolonged, end + 3600),
                    ] {
                        let found = try await block.find(gateway)
                        same(found?.bytes, block.bytes)
                        same(found?.expiration, time)
                    }
                }
                day.advance(by: 3600)
                let isGone = try await eventually {
                    for index in ring.servers.indices {
                        let kept = try await ring.control(index) { try await $0.call(Control1.store) }
                        // Five of eight keep a signed block.
                        guard kept.fragments == 2, kept.signedBlocks <= 1 else { return false }
                    }
                    return true
                }
                #expect(isGone)
                try await ring.gateway(3) { gateway in
                    for block in [short, signed] { same(try await block.fetch(gateway), nil) }
                    for block in [lasting, root, prolonged] { same(try await block.fetch(gateway), block.bytes) }
                    // Its name is free again.
                    same(try await short.insert(gateway), .ok)
                }
                try await ring.gateway(0) { gateway in
                    let found = try await short.find(gateway)
                    same(found?.bytes, short.bytes)
                    same(found?.expiration, 0)
                }
                var dropped: UInt64 = 0
                for index in ring.servers.indices { dropped += try await ring.count("their time was over", index) }
                #expect(dropped >= 8 + 3)
            }
        }
    }
}
