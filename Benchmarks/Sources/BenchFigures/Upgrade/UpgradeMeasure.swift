/// What is measured of upgrades, by its number.
package enum UpgradeMeasure: Int, CaseIterable, Sendable {
    /// Few hosts, a large release.
    case large = 1
    /// Many hosts, a small one.
    case many
    /// Who knows of a version when.
    case adverts
    /// A release that differs by little.
    case difference
    /// What an environment takes to be there.
    case stages
    /// Of versiond.
    case memory

    /// What the driver is to do for it, each in a sandbox of its own.
    package func runs(_ scale: UpgradeScale) -> [UpgradeRun] {
        switch self {
        case .large: Self.spread(scale.large)
        case .many: Self.spread(scale.many)
        case .adverts:
            scale.adverts.flatMap { nodes in
                // Who says something to whom is chance, and with little traffic one time says little.
                [(UpgradeRun.ours, 2000, "no", 3), (UpgradeRun.often, 250, "no", 1), (UpgradeRun.told, 250, "yes", 1)]
                    .flatMap { peer, period, key, times in
                        let words = ["adverts", "nodes=\(nodes)", "period=\(period)", "key=\(key)"]
                        return Array(repeating: UpgradeRun(peer, UpgradeRun.adverts(nodes), words), count: times)
                    }
            }
        case .difference:
            [UpgradeRun(UpgradeRun.ours, UpgradeRun.difference(scale), ["difference"] + scale.difference.words)]
        case .stages:
            [scale.alone, scale.upgrade].map {
                UpgradeRun(
                    UpgradeRun.ours, UpgradeRun.upgrade($0), ["stages"] + $0.words + ["megabits=100", "isolation=oci"])
            }
        case .memory: [UpgradeRun(UpgradeRun.ours, UpgradeRun.memory(scale), ["memory"] + scale.memory.words)]
        }
    }

    private static func spread(_ fleet: UpgradeScale.Fleet) -> [UpgradeRun] {
        [(UpgradeRun.ours, "swarm"), (UpgradeRun.web, "http")].map { peer, way in
            UpgradeRun(peer, UpgradeRun.spread(fleet), ["spread"] + fleet.words + ["megabits=100", "way=\(way)"])
        }
    }
}
