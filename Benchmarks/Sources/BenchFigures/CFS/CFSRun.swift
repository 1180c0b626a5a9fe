/// One run of the driver.
package struct CFSRun: Sendable, Hashable {
    /// Nodes of generation 1 by themselves.
    package static let native = "native"
    /// The same, in turns with both generations behind VersionKit.
    package static let nativeBesideBoth = "native beside both generations"
    package static let native2 = "native generation 2"
    package static let oneVersion = "VersionKit"
    package static let bothGenerations = "VersionKit with both generations"
    /// All of whom there are figures, in the picture's order.
    package static let peers = [native, oneVersion, bothGenerations, native2]

    /// Whose figures they are, unless a row says something else.
    package var peer: String
    /// What all of them begin with.
    package var name: String
    /// The driver's arguments.
    package var words: [String]

    init(_ peer: String, _ name: String, _ words: [String]) { (self.peer, self.name, self.words) = (peer, name, words) }

    // Names of runs have their sizes, so that a short run meets no goal of a long one.
    static func ring(_ scale: CFSScale) -> String { "\(scale.ring.blocks) blocks on \(scale.ring.hosts) hosts" }
    static func loopback(_ scale: CFSScale, _ concurrency: Int) -> String {
        "\(scale.loopback.blocks) blocks on \(scale.loopback.nodes) nodes by loopback, \(concurrency) at a time"
    }
    static func key(_ name: String, _ measure: String) -> String { "\(name): \(measure)" }

    /// How rows of a run with several states begin.
    private static let states = [
        "one version: ": oneVersion, "both generations: ": bothGenerations,
        "native beside one version: ": native, "native beside both generations: ": nativeBesideBoth,
    ]

    /// What the driver's rows say.
    package func observations(_ rows: [DriverRow], round: Int) -> [Observation] {
        rows.map { row in
            let state = Self.states.first { row.measure.hasPrefix($0.key) }
            return Observation(
                Self.key(name, String(row.measure.dropFirst(state?.key.count ?? 0))), state?.value ?? peer,
                round: round, row.value, row.unit)
        }
    }
}
