/// How much is measured.
package struct UpgradeScale: Sendable {
    package static let full = UpgradeScale(
        large: Fleet(nodes: 12, megabytes: 48), many: Fleet(nodes: 48, megabytes: 6), adverts: [8, 16, 32, 48],
        difference: Fleet(nodes: 2, megabytes: 48), alone: Fleet(nodes: 1, megabytes: 48),
        upgrade: Fleet(nodes: 12, megabytes: 48), memory: Fleet(nodes: 4, megabytes: 48))
    /// Shows that everything works. Its figures have other names: they meet no goals.
    package static let quick = UpgradeScale(
        large: Fleet(nodes: 4, megabytes: 6), many: Fleet(nodes: 8, megabytes: 1), adverts: [2, 4],
        difference: Fleet(nodes: 2, megabytes: 10), alone: Fleet(nodes: 1, megabytes: 6),
        upgrade: Fleet(nodes: 3, megabytes: 6), memory: Fleet(nodes: 2, megabytes: 6))

    /// Hosts, and what they fetch.
    package struct Fleet: Sendable {
        package var nodes: Int
        package var megabytes: Int

        /// As the driver is told.
        var words: [String] { ["nodes=\(nodes)", "bytes=\(megabytes)000000"] }
        /// As figures are called.
        var name: String { "\(nodes) hosts \(megabytes) MB" }
    }

    package var large: Fleet
    package var many: Fleet
    /// How many hosts hear of a version.
    package var adverts: [Int]
    package var difference: Fleet
    package var alone: Fleet
    package var upgrade: Fleet
    package var memory: Fleet
}
