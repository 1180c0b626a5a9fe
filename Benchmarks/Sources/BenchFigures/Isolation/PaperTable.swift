/// Time to snapshot and to resume, as in table 1 of the life-cycle paper (processes on a Pentium III, 766 MHz, 256 MB).
package enum PaperTable {
    /// The sizes of table 1, and one more, in megabytes.
    package static let sizes = [32, 64, 128, 512]

    /// What the paper says, in milliseconds. Resuming is "< 0.01" s: nothing is read before it is used.
    package static let observations: [Observation] = [(32, 890.0), (64, 1780), (128, 10420)].flatMap { size, snapshot in
        [(key("snapshot", size), snapshot), (key("resume", size), 10)].map {
            Observation($0.0, IsolationVariant.paper.rawValue, round: 0, $0.1, "ms")
        }
    }

    /// What the measure is called in the observations.
    package static func key(_ measure: String, _ megabytes: Int) -> String { "\(measure) \(megabytes) MB" }

    /// Medians in seconds beside the paper's.
    package static func text(_ observations: Observations) -> String {
        let rows = ([IsolationVariant.paper] + IsolationVariant.snapshots + [.xen]).flatMap { variant in
            ["snapshot", "resume"].compactMap { measure -> [String]? in
                let cells = sizes.map { size in
                    observations.median(key(measure, size), variant.rawValue).map { ($0 / 1000).text(digits: 2) } ?? "-"
                }
                return cells.allSatisfy { $0 == "-" } ? nil : [variant.rawValue, measure] + cells
            }
        }
        return Report.table([["table 1, seconds", ""] + sizes.map { "\($0) MB" }] + rows)
    }

    /// The same as a picture.
    package static func chart(_ observations: Observations) -> BarChart {
        let variants = [IsolationVariant.paper] + IsolationVariant.snapshots + [.xen]
        return BarChart(
            title: "Time to snapshot and to resume, seconds",
            groups: ["snapshot", "resume"].flatMap { measure in
                sizes.map { size in
                    BarChart.Group(
                        name: key(measure, size),
                        values: variants.map {
                            observations.median(key(measure, size), $0.rawValue).map { $0 / 1000 }
                        })
                }
            }, series: variants.map(\.rawValue))
    }
}
