/// One run of the driver.
package struct UpgradeRun: Sendable, Hashable {
    package static let ours = "VersionKit"
    /// The same with eight times the traffic.
    package static let often = "VersionKit with eight times the traffic"
    /// That, and its routers telling each other.
    package static let told = "VersionKit with a fleet key"
    package static let web = "HTTP from the first"
    /// Not measured: the paper's figures.
    package static let paper = "the paper (850 MHz)"

    /// Whose figures they are.
    package var peer: String
    /// What all of them begin with.
    package var name: String
    /// The driver's arguments.
    package var words: [String]

    init(_ peer: String, _ name: String, _ words: [String]) { (self.peer, self.name, self.words) = (peer, name, words) }

    /// What its rows are called in the observations.
    package func key(_ measure: String) -> String { Self.key(name, measure) }

    static func key(_ name: String, _ measure: String) -> String { "\(name): \(measure)" }

    // Names of runs have their sizes, so that a short run meets no goal of a long one.
    static func spread(_ fleet: UpgradeScale.Fleet) -> String { "spread to \(fleet.name)" }
    static func adverts(_ nodes: Int) -> String { "adverts to \(nodes) hosts" }
    static func difference(_ scale: UpgradeScale) -> String { "difference of \(scale.difference.megabytes) MB" }
    static func upgrade(_ fleet: UpgradeScale.Fleet) -> String { "upgrade of \(fleet.name)" }
    static func memory(_ scale: UpgradeScale) -> String { "memory of \(scale.memory.name)" }
}
