/// How much is measured.
package struct CFSScale: Sendable {
    package static let full = CFSScale(
        ring: Ring(hosts: 16, blocks: 512, repeats: 5), loopback: Loopback(nodes: 10, blocks: 2048, repeats: 3),
        lookups: [100, 300, 1000, 10_000], losses: Losses(nodes: 1000, blocks: 10_000))
    /// Shows that everything works. Its figures have other names: they meet no goals.
    package static let quick = CFSScale(
        ring: Ring(hosts: 8, blocks: 64, repeats: 1), loopback: Loopback(nodes: 8, blocks: 128, repeats: 1),
        lookups: [30, 60], losses: Losses(nodes: 100, blocks: 200))

    /// Hosts with 100 Mbit/s, and what is stored and fetched so many times.
    package struct Ring: Sendable {
        package var hosts: Int
        package var blocks: Int
        package var repeats: Int

        /// With the times of 2004 and 2008 between looks at the ring.
        var words: [String] {
            ["hosts=\(hosts)", "megabits=100", "microseconds=200", "pace=1", "blocks=\(blocks)", "repeats=\(repeats)"]
        }
    }

    /// Nodes on one host, and what is stored and fetched so many times.
    package struct Loopback: Sendable {
        package var nodes: Int
        package var blocks: Int
        package var repeats: Int

        var words: [String] { ["nodes=\(nodes)", "blocks=\(blocks)", "repeats=\(repeats)"] }
    }

    /// Simulated nodes, and the blocks on them.
    package struct Losses: Sendable {
        package var nodes: Int
        package var blocks: Int
    }

    package var ring: Ring
    package var loopback: Loopback
    /// Nodes of the simulated rings.
    package var lookups: [Int]
    package var losses: Losses
}
