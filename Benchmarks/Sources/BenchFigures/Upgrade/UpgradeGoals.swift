import Foundation

/// What upgrades have to reach.
package enum UpgradeGoals {
    /// The goals of the measures with these numbers.
    package static func all(of measures: Set<Int>) -> [Goal] { all.filter { measures.contains($0.measure) } }

    package static let all: [Goal] = large + many + adverts + difference + stages + memory

    private static let scale = UpgradeScale.full
    private static let ours = UpgradeRun.ours
    private static let told = Goal.Criterion.none

    private static var large: [Goal] {
        spread(.large, scale.large, "12 hosts, 48 MB, 100 Mbit/s", time: told, ratio: .atMost(2))
    }

    private static var many: [Goal] {
        spread(.many, scale.many, "48 hosts, 6 MB, 100 Mbit/s", time: .atMost(5), ratio: told)
    }

    private static func spread(
        _ measure: UpgradeMeasure, _ fleet: UpgradeScale.Fleet, _ title: String, time: Goal.Criterion,
        ratio: Goal.Criterion
    ) -> [Goal] {
        let run = UpgradeRun.spread(fleet)
        return [
            median(measure, "\(title): until the last has it", run, "last", time, " s"),
            median(measure, "\(title): the same to the least", run, "to least", ratio, "x"),
            median(measure, "\(title): copies that the first sent", run, "copies from the first", told, ""),
            median(measure, "\(title): until the last has it", run, "last", told, " s", of: UpgradeRun.web),
            median(measure, "\(title): the same to the least", run, "to least", told, "x", of: UpgradeRun.web),
        ]
    }

    private static var adverts: [Goal] {
        [
            (ours, "last knows, by traffic alone", Goal.Criterion.atMost(1)),
            (UpgradeRun.often, "last knows, by eight times the traffic", told),
            (UpgradeRun.told, "last knows, by routers' messages too", told),
        ].flatMap { peer, title, criterion in
            [
                Goal(
                    measure: UpgradeMeasure.adverts.rawValue,
                    title: "\(title): 8 to 48 hosts, to the logarithm's growth",
                    criterion: criterion, unit: "x", digits: 2, peer: peer
                ) { growth($0, peer) }
            ]
                + scale.adverts.flatMap { hosts in
                    [
                        ("\(title): \(hosts) hosts", "last knows", " ms"),
                        ("the same: hops to the farthest", "hops to the farthest", ""),
                        ("the same: processors busy with anything", "processors busy with anything", " %"),
                    ].map { title, key, unit in
                        median(.adverts, title, UpgradeRun.adverts(hosts), key, told, unit, of: peer, isNamed: false)
                    }
                }
        }
    }

    /// How much longer it takes on the most hosts than on the fewest, to what the logarithm would have.
    static func growth(_ observations: Observations, _ peer: String) -> Double? {
        guard let fewest = scale.adverts.min(), let most = scale.adverts.max() else { return nil }
        let times = [fewest, most].map {
            observations.median(UpgradeRun.key(UpgradeRun.adverts($0), "last knows"), peer)
        }
        guard let first = times[0], let last = times[1], first > 0 else { return nil }
        return last / first / (log(Double(most)) / log(Double(fewest)))
    }

    private static var difference: [Goal] {
        let run = UpgradeRun.difference(scale)
        return [
            median(
                .difference, "bytes of 48 MB of which 2 % differ, to all", run, "2 % to whole", .atMost(10), " %"),
            median(
                .difference, "the same if every file has 64 bytes more", run, "64 bytes more to whole", told, " %"),
        ]
    }

    private static var stages: [Goal] {
        let (alone, fleet) = (UpgradeRun.upgrade(scale.alone), UpgradeRun.upgrade(scale.upgrade))
        let sum = UpgradeStages.environment
        return [
            median(.stages, "\(sum), oci with crun, a host for itself", alone, sum, .atMost(150), " ms"),
            median(.stages, "\(sum), 12 hosts on one machine", fleet, sum, told, " ms"),
            median(.stages, "Prep FS, a host for itself", alone, UpgradeStages.preparation, told, " ms"),
            median(.stages, "Prep FS", fleet, UpgradeStages.preparation, told, " ms", of: UpgradeRun.paper),
            median(.stages, "until the last of 12 hosts serves", fleet, "last serves", told, " s"),
            median(
                .stages, "until the last of 12 hosts serves", fleet, "last serves", told, " s", of: UpgradeRun.paper),
        ]
    }

    private static var memory: [Goal] {
        let states: [(String, Goal.Criterion)] = [
            ("idle", .atMost(40)), ("3 releases and a swarm: most while the third came", .atMost(120)),
            ("3 releases and a swarm: afterwards", told),
        ]
        return states.flatMap { state, criterion in
            ["resident", "its share", "of no file"].map { kind in
                median(
                    .memory, "versiond, \(state), \(kind)", UpgradeRun.memory(scale), "\(state): \(kind)",
                    kind == "resident" ? criterion : told, " MB")
            }
        }
    }

    private static func median(
        _ measure: UpgradeMeasure, _ title: String, _ run: String, _ key: String, _ criterion: Goal.Criterion,
        _ unit: String, of peer: String = ours, isNamed: Bool = true
    ) -> Goal {
        Goal(
            measure: measure.rawValue, title: peer == ours || !isNamed ? title : "\(title) (\(peer))",
            criterion: criterion, unit: unit, digits: 2, peer: peer
        ) { $0.median(UpgradeRun.key(run, key), peer) }
    }
}
