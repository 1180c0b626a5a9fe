import Testing

@testable import BenchFigures

@Suite struct IsolationFiguresTests {
    @Test("of what the driver prints rows are taken, and of rows with one name the median")
    func rows() {
        let output = "life,crun,,1\nhello\nsnapshot,runc,128 MB,30\nsnapshot,runc,128 MB,10\nsnapshot,runc,128 MB,20\n"
        let rows = IsolationRow.medians(in: output)
        #expect(rows.map(\.measure) == ["life", "snapshot 128 MB"])
        #expect(rows.map(\.value) == [1, 20])
        #expect(rows.map(\.unit) == ["ms", "ms"])
        #expect(IsolationRow.medians(in: "network,veth,from the node,5").map(\.unit) == ["MB/s"])
        #expect(IsolationRow.reason(in: output) == nil)
    }

    @Test(
        "a line with a field too many, too few or no number is no row",
        arguments: ["", "a,b,c", "a,b,c,1,2", "a,b,c,x", "a,b,c,nan", ",b,c,1"])
    func wrongRows(_ line: String) { #expect(IsolationRow(line: line) == nil) }

    @Test("the driver's reason is told without its beginning")
    func reason() {
        #expect(IsolationRow.reason(in: "a,b,c,1\nnot available: no CRIU\n") == "no CRIU")
    }

    @Test("rows that were written are read again, and others are refused")
    func csv() throws {
        let rows = [Observation("snapshot 32 MB", "xen", round: 1, 812.5, "ms")]
        #expect(try #require(Observations(csv: Observations(rows).csv)).all == rows)
        for text in ["", "a,b\n", "measure,peer,round,value,unit\nsnapshot,xen,1,fast,ms\n"] {
            #expect(Observations(csv: text) == nil)
        }
    }

    @Test("the paper's figures stand beside those of the run, in seconds")
    func table() {
        var observations = Observations(PaperTable.observations)
        observations.add(Observation("snapshot 128 MB", "memory by CRIU and runc", round: 1, 240, "ms"))
        let lines = PaperTable.text(observations).split(separator: "\n").map { line in
            line.split(separator: "|").map {
                $0.trimmingPrefix(while: \.isWhitespace).split(separator: "  ").first ?? ""
            }
        }
        #expect(lines.count == 5)
        #expect(
            lines[2].map { $0.filter { $0 != " " } } == ["thepaper(766MHz)", "snapshot", "0.89", "1.78", "10.42", "-"])
        #expect(lines[4].map { $0.filter { $0 != " " } } == ["memorybyCRIUandrunc", "snapshot", "-", "-", "0.24", "-"])
    }

    @Test("every goal is about a variant that its measure has, and only told ones have nothing to reach")
    func goals() throws {
        for goal in IsolationGoals.all {
            let measure = try #require(IsolationMeasure(rawValue: goal.measure))
            #expect(measure.variants.contains { $0.rawValue == goal.peer }, "\(goal.title)")
        }
        #expect(Set(IsolationGoals.all.map(\.measure)) == Set(IsolationMeasure.allCases.map(\.rawValue)))
        let names = IsolationMeasure.allCases.flatMap(\.variants)
        #expect(names.allSatisfy { $0.words != nil })
    }

    @Test("the time of a container is judged by that of the same by hand, in the same round")
    func life() throws {
        var observations = Observations()
        for (round, byHand, ours) in [(1, 40.0, 50.0), (2, 80, 120), (3, 40, 48)] {
            observations.add(Observation("create-to-ready", "crun by hand", round: round, byHand, "ms"))
            observations.add(Observation("create-to-ready", "oci (crun)", round: round, ours, "ms"))
        }
        let rows = IsolationGoals.all(of: [2]).map { $0.row(observations) }
        #expect(rows[0].value == 1.25 && rows[0].isMet == true)
        #expect(rows[1].value == nil && rows[1].isMet == false)
    }

    @Test("bars are as high as the logarithm of what they stand for")
    func scale() {
        let chart = BarChart(
            title: "t", groups: [BarChart.Group(name: "a", values: [0.02, 20, nil])], series: ["x", "y", "z"])
        #expect(chart.decades == -2...2)
        #expect(chart.position(of: 0.01) == 360)
        #expect(chart.position(of: 100) == 40)
        #expect(abs(chart.position(of: 1) - 200) < 1e-6)
    }

    @Test("a picture has a bar for each value and names only what it shows")
    func picture() {
        let groups = [
            BarChart.Group(name: "a", values: [1, 2, nil, 0]), BarChart.Group(name: "b", values: [nil, nil, nil, 0]),
        ]
        let svg = BarChart(title: "x < y", groups: groups, series: ["one", "two", "three", "four"]).svg
        // The background, two bars, two in the legend.
        #expect(svg.split(separator: "<rect").count - 1 == 5)
        #expect(svg.contains("x &lt; y") && svg.contains(">two<") && !svg.contains("three") && !svg.contains(">b<"))
        #expect(BarChart(title: "", groups: [], series: []).svg.hasSuffix("</svg>\n"))
    }
}
