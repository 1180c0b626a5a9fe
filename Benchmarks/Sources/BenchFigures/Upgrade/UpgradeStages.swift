/// The stages of an upgrade on each host of a fleet, as in figures 11 to 13 of the paper on simultaneous execution.
package enum UpgradeStages {
    /// In their order; the last is VersionKit's own.
    package static let all = [
        "Discover upgrade", "Download", "Prep FS", "Create VM", "Copy to VM", "Config app", "Running", "Migrate",
    ]
    /// What is in none of the stages that the paper's text tells the time of.
    private static let rest = "all other stages"

    /// What the paper's text says of IrisLog, twelve nodes and 48 MB, in seconds. Its figures have no numbers.
    package static let paperSeconds = (worst: 489.0, others: 434.0, prepareFileSystem: 210.0)

    /// The sum of what makes an environment.
    static let environment = "Prep FS + Create VM + Config app"
    /// That of which the paper tells.
    static let preparation = "Prep FS"

    /// The paper's figures, as rows beside those of the run.
    package static let paper: [Observation] = [
        ("last serves", paperSeconds.worst, "s"), (preparation, paperSeconds.prepareFileSystem * 1000, "ms"),
    ].map {
        Observation(
            UpgradeRun.key(UpgradeRun.upgrade(UpgradeScale.full.upgrade), $0), UpgradeRun.paper, round: 0, $1, $2)
    }

    /// What a driver calls a stage on a host.
    private static func key(_ host: Int, _ stage: String) -> String { "host \(host): \(stage)" }

    /// Whether an observation is of one stage on one host: too many for a table of medians.
    package static func isOfHost(_ observation: Observation) -> Bool { observation.measure.contains(": host ") }

    /// The sums of what makes an environment, and the time for file systems: over all hosts, as further rows of a round.
    package static func sums(_ rows: [DriverRow]) -> [DriverRow] {
        let times = Dictionary(rows.map { ($0.measure, $0.value) }) { first, _ in first }
        let hosts = (0..<rows.count).prefix { times[key($0, preparation)] != nil }
        let environments = hosts.map { host in
            [preparation, "Create VM", "Config app"].reduce(0.0) { $0 + (times[key(host, $1)] ?? 0) }
        }
        let preparations = hosts.compactMap { times[key($0, preparation)] }
        guard let median = Statistics.median(environments), let most = environments.max(),
            let preparationMedian = Statistics.median(preparations)
        else { return [] }
        return [
            DriverRow(measure: environment, value: median, unit: "ms"),
            DriverRow(measure: "\(environment) where it took longest", value: most, unit: "ms"),
            DriverRow(measure: preparation, value: preparationMedian, unit: "ms"),
        ]
    }

    /// The medians of a run's hosts, in milliseconds: hosts and their times by stage.
    private static func times(_ observations: Observations, _ run: String) -> [(name: String, times: [Double?])] {
        var found: [(String, [Double?])] = []
        while true {
            let times = all.map { observations.median(UpgradeRun.key(run, key(found.count, $0)), UpgradeRun.ours) }
            guard times.contains(where: { $0 != nil }) else { return found }
            found.append(("n\(found.count)", times))
        }
    }

    /// One line for each host.
    package static func text(_ observations: Observations, _ scale: UpgradeScale) -> String {
        let rows = times(observations, UpgradeRun.upgrade(scale.upgrade)).map { host in
            [host.name] + host.times.map { $0?.text(digits: 0) ?? "-" }
        }
        return rows.isEmpty ? "" : Report.table([["ms, medians"] + all] + rows)
    }

    /// The same as a picture, beside the paper's.
    package static func chart(_ observations: Observations, _ scale: UpgradeScale) -> StackedChart {
        let ours = times(observations, UpgradeRun.upgrade(scale.upgrade)).map { host in
            StackedChart.Bar(name: host.name, values: host.times.map { ($0 ?? 0) / 1000 } + [0])
        }
        let parts = all.map { $0 == Self.preparation ? paperSeconds.prepareFileSystem : 0 }
        let paper = StackedChart.Bar(
            name: "worst of 5 runs", values: parts + [paperSeconds.worst - paperSeconds.prepareFileSystem])
        return StackedChart(
            title: "Upgrade of each host, seconds",
            panels: [
                StackedChart.Panel(name: "VersionKit, \(ours.count) hosts on one machine", bars: ours),
                StackedChart.Panel(name: "the paper: IrisLog, 12 machines", bars: [paper]),
            ], series: all + [rest])
    }
}
