/// What CFS has to reach.
package enum CFSGoals {
    /// The goals of the measures with these numbers.
    package static func all(of measures: Set<Int>) -> [Goal] { all.filter { measures.contains($0.measure) } }

    package static let all: [Goal] = rings + loopback + lookups + losses

    private static let scale = CFSScale.full
    private static let told = Goal.Criterion.none

    private static var rings: [Goal] {
        let run = CFSRun.ring(scale)
        let ratios: [(CFSMeasure, String, String, String, Double)] = [
            (.oneVersion, "one version", CFSRun.oneVersion, CFSRun.native, 0.95),
            (.bothGenerations, "both generations", CFSRun.bothGenerations, CFSRun.nativeBesideBoth, 0.6),
        ]
        return ratios.flatMap { measure, title, peer, native, least in
            ["write", "read"].map { way in
                Goal(
                    measure: measure.rawValue, title: "16 hosts, 1 MB in 2 KB blocks, \(title): \(way), to native",
                    criterion: .atLeast(least), unit: "x", digits: 2, peer: peer
                ) { $0.ratio(CFSRun.key(run, way), peer, to: native) }
            }
                + ["write", "read"].map { way in
                    median(measure, "\(title): \(way)", run, way, told, " MB/s", 2, of: peer)
                }
        }
            + ["write", "read"].map { way in
                median(.oneVersion, "native: \(way)", run, way, told, " MB/s", 2, of: CFSRun.native)
            }
    }

    private static var loopback: [Goal] {
        [1, 16].flatMap { concurrency in
            [
                ("read", " MB/s", 2), ("read: p50", " ms", 2), ("processors busy with anything", " %", 0),
                ("processor time of cfs-lsd", " ms/block", 2),
            ].map { key, unit, digits in
                median(
                    .loopback, "ten nodes by loopback, \(concurrency) at a time: \(key)",
                    CFSRun.loopback(scale, concurrency), key, told, unit, digits, of: CFSRun.native)
            }
        }
    }

    private static var lookups: [Goal] {
        [1000, 10_000].flatMap { nodes in
            let run = CFSSimulation.lookups(nodes)
            return [
                median(
                    .lookups, "\(nodes) nodes: hops of generation 1, to log2 N", run, "hops to log2 N", .atMost(0.55),
                    "x", 3, of: CFSSimulation.generation(1)),
                Goal(
                    measure: CFSMeasure.lookups.rawValue,
                    title: "\(nodes) nodes: hops of generation 2, to generation 1's",
                    criterion: .below(1), unit: "x", digits: 2, peer: CFSSimulation.generation(2)
                ) { $0.ratio(CFSRun.key(run, "hops"), CFSSimulation.generation(2), to: CFSSimulation.generation(1)) },
            ]
        }
    }

    private static var losses: [Goal] {
        [8192, 2048].flatMap { length in
            [(1, "14 fragments"), (2, "28 fragments")].map { generation, code in
                median(
                    .losses,
                    "30 % of 1000 nodes fail at once, blocks of \(length / 1024) KiB, generation \(generation), \(code): lost of 10000",
                    CFSSimulation.losses(scale, length: length), "lost", .atMost(0), "", 0,
                    of: CFSSimulation.generation(Double(generation)))
            }
        }
    }

    private static func median(
        _ measure: CFSMeasure, _ title: String, _ run: String, _ key: String, _ criterion: Goal.Criterion,
        _ unit: String, _ digits: Int, of peer: String
    ) -> Goal {
        Goal(measure: measure.rawValue, title: title, criterion: criterion, unit: unit, digits: digits, peer: peer) {
            $0.median(CFSRun.key(run, key), peer)
        }
    }
}
