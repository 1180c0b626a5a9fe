import Glibc
import Testing

@testable import BenchFigures

@Suite struct UpgradeFiguresTests {
    @Test("a line of the driver's is a row, and what else it says is none")
    func rows() throws {
        let row = try #require(DriverRow(line: "last knows\t812.5\tms"))
        #expect((row.measure, row.value, row.unit) == ("last knows", 812.5, "ms"))
        for line in ["", "hello", "a\tb\tms", "a\tnan\tms", "\t1\tms", "a\t1", "a\t1\tms\tmore"] {
            #expect(DriverRow(line: line) == nil, "\(line)")
        }
    }

    @Test("every judged figure is one that a run of its measure brings, and a short run meets no goal of a long one")
    func names() throws {
        for goal in UpgradeGoals.all where goal.criterion != .none {
            let measure = try #require(UpgradeMeasure(rawValue: goal.measure))
            let driver = [
                "last", "to least", "last knows", "2 % to whole", UpgradeStages.environment, "idle: resident",
                "3 releases and a swarm: most while the third came: resident",
            ]
            func observations(_ scale: UpgradeScale) -> Observations {
                Observations(
                    measure.runs(scale).flatMap { run in
                        driver.map { Observation(run.key($0), run.peer, round: 1, 0.001, "") }
                    })
            }
            #expect(goal.row(observations(.full)).isMet == true, "\(goal.title)")
            #expect(goal.row(observations(.quick)).isMet == false, "\(goal.title)")
        }
    }

    @Test("there are seven figures to reach, and what nobody measured is not reached")
    func judged() {
        let report = Report(UpgradeGoals.all, Observations(), name: "bench-upgrade")
        #expect(report.verdict == "bench-upgrade: 0 of 7 goals met")
        #expect(UpgradeGoals.all(of: [1]).allSatisfy { $0.measure == 1 })
    }

    @Test("what takes as much longer as the logarithm says has grown with it; with the number of hosts it has not")
    func growth() throws {
        func growth(_ time: (Double) -> Double) throws -> Double {
            let rows = UpgradeScale.full.adverts.map {
                Observation(
                    UpgradeRun.key(UpgradeRun.adverts($0), "last knows"), UpgradeRun.ours, round: 1, time(Double($0)),
                    "ms")
            }
            return try #require(UpgradeGoals.growth(Observations(rows), UpgradeRun.ours))
        }
        #expect(abs(try growth { 100 * $0 } - 6 / 1.8617) < 1e-3)
        #expect(try growth { _ in 100 } < 0.6)
        #expect(abs(try growth { 100 * log($0) } - 1) < 1e-9)
        #expect(UpgradeGoals.growth(Observations(), UpgradeRun.ours) == nil)
    }

    @Test("an environment takes what three stages take, the fleet the median of its hosts")
    func sums() {
        let rows = [(0, 10.0), (1, 20), (2, 60)].flatMap { host, time in
            ["Download", "Prep FS", "Create VM", "Config app"].map {
                DriverRow(measure: "host \(host): \($0)", value: time, unit: "ms")
            }
        }
        let sums = UpgradeStages.sums(rows)
        #expect(sums.map(\.value) == [60, 180, 20])
        #expect(sums[0].measure == UpgradeStages.environment)
        #expect(UpgradeStages.sums([]) == [])
    }

    @Test("the picture has a bar for each host beside the paper's")
    func chart() {
        let run = UpgradeMeasure.stages.runs(.quick)[1]
        let rows = (0..<3).flatMap { host in
            UpgradeStages.all.map { Observation(run.key("host \(host): \($0)"), run.peer, round: 1, 500, "ms") }
        }
        #expect(rows.allSatisfy { UpgradeStages.isOfHost($0) })
        let chart = UpgradeStages.chart(Observations(rows), .quick)
        #expect(chart.panels.map(\.bars.count) == [3, 1])
        #expect(chart.panels[0].bars.allSatisfy { $0.height == 4 && $0.values.count == chart.series.count })
        #expect(chart.panels[1].bars[0].height == 489)
        #expect(UpgradeStages.text(Observations(rows), .quick).split(separator: "\n").count == 5)
        #expect(UpgradeStages.text(Observations(), .quick).isEmpty)
        // Background, eight stages of three hosts, two parts of the paper's, nine names.
        #expect(chart.svg.split(separator: "<rect").count - 1 == 1 + 24 + 2 + 9)
    }

    @Test(
        "a panel's scale ends at 1, 2 or 5 with zeros",
        arguments: [(0, 1.0), (0.3, 0.5), (1, 1), (1.1, 2), (4.9, 5), (6, 10), (489, 500)])
    func scale(highest: Double, limit: Double) {
        let panel = StackedChart.Panel(name: "", bars: [StackedChart.Bar(name: "", values: [highest])])
        #expect(abs(StackedChart.limit(of: panel) - limit) < 1e-9)
    }

    @Test("measures are chosen by their numbers, and nothing else is taken for one")
    func chosen() {
        #expect(MeasureList.chosen(nil, of: 3) == [1, 2, 3])
        #expect(MeasureList.chosen("1, 3", of: 3) == [1, 3])
        for text in ["", "0", "4", "1,", "x", "1,x", "1 2"] {
            #expect(MeasureList.chosen(text, of: 3) == nil, "\(text)")
        }
    }
}
