import BenchFigures
import Testing

@Suite struct BenchFiguresTests {
    @Test("a median is the value in the middle, or the mean of two")
    func median() {
        #expect(Statistics.median([]) == nil)
        #expect(Statistics.median([3, 1, 2]) == 2)
        #expect(Statistics.median([4, 1, 2, 3]) == 2.5)
    }

    @Test("rates are found by the name of their column, warnings around them passed over")
    func rates() {
        let text = """
            WARNING: Could not fetch server CONFIG
            "test","rps","avg_latency_ms"
            "SET","32608.70","0.024"
            "GET","31250.00","0.026"
            """
        #expect(RedisBenchmarkCSV.rates(text) == ["SET": 32608.7, "GET": 31250])
        #expect(RedisBenchmarkCSV.rates("\"SET\",\"12.5\"\n") == ["SET": 12.5])
        #expect(RedisBenchmarkCSV.rates("Error from server: no").isEmpty)
    }

    @Test("the last whole line of counters counts")
    func counters() {
        #expect(CounterLine.last(in: "") == nil)
        #expect(CounterLine.last(in: "counters requests=1") == nil)
        let text = "ready\ncounters requests=1 lag-2=7\nnoise\ncounters requests=2 lag-2=0\ncounters requests=3 la"
        #expect(CounterLine.last(in: text) == ["requests": 2, "lag-2": 0])
    }

    @Test("the most that a proxy could reach is what the processors have left for it, with every server counted")
    func ceiling() {
        let cost = RequestCost(client: 0.000_001, responder: 0.000_001, server: 0.000_002)
        #expect(cost.rateMax(processors: 2, servers: 1) == 500_000)
        #expect((cost.rateMax(processors: 2, servers: 2) - 333_333).magnitude < 1)
        #expect(RequestCost(client: 0, responder: 0, server: 0).rateMax(processors: 2, servers: 1) == 0)
    }

    @Test("what the least proxy reaches is told and not judged, and a row says when it cannot be there")
    func leastProxy() {
        var observations = Observations()
        observations.add(Observation("dual-both", PeerName.envoyMirror, round: 1, 100, "requests/s"))
        observations.add(Observation("dual-both", PeerName.leastProxy, round: 1, 250, "requests/s"))
        let goals = ProxyGoals.all(of: [3]).filter { $0.peer == PeerName.leastProxy }
        #expect(goals.map { $0.row(observations).figure } == ["2.500x"])
        #expect(goals.allSatisfy { $0.row(observations).isMet == nil })
        var unavailable = Unavailable()
        unavailable.add(PeerName.leastProxy, measure: 3, "it did not start")
        #expect(
            goals.map { $0.row(observations, unavailable: unavailable).figure } == ["not available: it did not start"])
    }

    @Test("a template's names are replaced, other signs stay")
    func template() {
        let text = "listen @PORT@: {\"@type\": a.b, @PORT@}, x@y"
        #expect(Template.fill(text, ["PORT": "7"]) == "listen 7: {\"@type\": a.b, 7}, x@y")
    }

    @Test("comments and blank lines are no code; strings that look like comments are")
    func codeLines() {
        let source = ##"""
            // A comment.
            import Glibc

            /* One /* in another */
            */ let a = "/* no comment */" // behind code

            let b = """
                // text

                """
            let c = #"a " // b"#
            #if os(Linux)
            let d = "\"//"
            #endif
            """##
        #expect(CodeLines.count(source) == 9)
        #expect(CodeLines.count("") == 0)
        #expect(CodeLines.isGenerated("// Made by a script: do not edit.\n"))
        #expect(!CodeLines.isGenerated("let text = \"do not edit\"\n"))
    }

    @Test("what was not measured is not met, and the report says that it is not complete")
    func judging() {
        var observations = Observations()
        let none = Report(ProxyGoals.all(of: [1]), observations)
        #expect(none.goals == 4)
        #expect(none.met == 0)
        #expect(!none.isComplete)
        for command in ["get", "set"] {
            for (peer, value) in [("VersionKit", 50.0), ("HAProxy", 45), ("Envoy redis_proxy", 50)] {
                observations.add(Observation("latency-\(command)", peer, round: 1, value, "us"))
            }
        }
        let report = Report(ProxyGoals.all(of: [1]), observations)
        #expect(report.isComplete)
        #expect(report.rows.map(\.figure) == ["1.000x", "1.111x", "1.000x", "1.111x"])
        #expect(report.rows.map(\.isMet) == [false, true, false, true])
        #expect(report.verdict == "bench-proxy: 2 of 4 goals met")
        #expect(Report(ProxyGoals.all, Observations()).verdict == "bench-proxy: 0 of 15 goals met")
    }

    @Test("a ratio compares values of the same round")
    func ratios() {
        var observations = Observations()
        for (round, base) in [(1, 10.0), (2, 100), (3, 1000)] {
            observations.add(Observation("rate", "other", round: round, base, "/s"))
            if round < 3 { observations.add(Observation("rate", "ours", round: round, base * 2, "/s")) }
        }
        #expect(observations.ratio("rate", "ours", to: "other") == 2)
        #expect(observations.ratio("rate", "ours", to: "nobody") == nil)
        #expect(observations.csv.hasPrefix("measure,peer,round,value,unit\nrate,other,1,10.0,/s\n"))
    }

    @Test("numbers are written with the digits that were asked for")
    func numbers() {
        #expect(1.005.text(digits: 1) == "1.0")
        #expect((-0.26).text(digits: 1) == "-0.3")
        #expect(2.05.text(digits: 3) == "2.050")
        #expect((-0.01).text(digits: 1) == "0.0")
    }
}
