/// What environments and their snapshots have to reach.
package enum IsolationGoals {
    /// The goals of the measures with these numbers.
    package static func all(of measures: Set<Int>) -> [Goal] { all.filter { measures.contains($0.measure) } }

    package static let all: [Goal] = memory + life + pause + idle + network + compute

    private static let told = Goal.Criterion.none
    private static let containers: [(IsolationVariant, byHand: IsolationVariant)] = [
        (.crun, .crunByHand), (.runc, .runcByHand),
    ]

    /// The size of which the paper says 10.42 s.
    private static var memory: [Goal] {
        let goals: [(String, String, Goal.Criterion)] = [
            ("frozen", "snapshot-pause", .atMost(150)), ("snapshot", "snapshot", .atMost(300)),
            ("resume", "resume", .atMost(250)),
        ]
        return goals.flatMap { title, key, criterion in
            [(IsolationVariant.criu, criterion), (.memory, told)].map { variant, criterion in
                median(.snapshot, "128 MB, \(title)", PaperTable.key(key, 128), variant, criterion, " ms")
            }
        }
    }

    private static var life: [Goal] {
        containers.map {
            ratio(.life, "create to ready", "create-to-ready", $0, to: $1, .atMost(1.3))
        }
            + IsolationVariant.environments.flatMap { variant in
                [("create to ready", "create-to-ready"), ("to destroyed", "destroy")].map {
                    median(.life, $0, $1, variant, told, " ms")
                }
            }
    }

    private static var pause: [Goal] {
        [IsolationVariant.subvolume, .reflinks].flatMap { variant in
            ["64 MB in files of 1024 kB", "64 MB in files of 50 kB"].map {
                median(.pause, "pause, \($0)", "pause \($0)", variant, .atMost(15), " ms")
            }
        }
    }

    private static var idle: [Goal] {
        IsolationVariant.environments.map {
            median(.idle, "memory of an idle environment", "idle-memory", $0, told, " MB")
        }
    }

    private static var network: [Goal] {
        ["from the node", "from another"].flatMap { way in
            [
                (IsolationVariant.namespaces, Goal.Criterion.atLeast(0.9)), (.crun, .atLeast(0.9)),
                (.runc, .atLeast(0.9)),
                (.uml, told),
            ].map { ratio(.network, "throughput \(way)", "network \(way)", $0, to: .veth, $1) }
                + [ratio(.network, "throughput \(way)", "network \(way)", .veth, to: .native, told)]
        }
    }

    private static var compute: [Goal] {
        ["arithmetic", "system calls"].flatMap { work in
            IsolationVariant.environments.map {
                ratio(.compute, "time for \(work)", "compute \(work)", $0, to: .native, told)
            }
        }
    }

    private static func median(
        _ measure: IsolationMeasure, _ title: String, _ key: String, _ variant: IsolationVariant,
        _ criterion: Goal.Criterion, _ unit: String
    ) -> Goal {
        Goal(
            measure: measure.rawValue, title: "\(title), \(variant.rawValue)", criterion: criterion, unit: unit,
            digits: 1,
            peer: variant.rawValue
        ) { $0.median(key, variant.rawValue) }
    }

    private static func ratio(
        _ measure: IsolationMeasure, _ title: String, _ key: String, _ variant: IsolationVariant,
        to other: IsolationVariant, _ criterion: Goal.Criterion
    ) -> Goal {
        Goal(
            measure: measure.rawValue, title: "\(title), \(variant.rawValue) to \(other.rawValue)",
            criterion: criterion,
            unit: "x", digits: 2, peer: variant.rawValue
        ) { $0.ratio(key, variant.rawValue, to: other.rawValue) }
    }
}
