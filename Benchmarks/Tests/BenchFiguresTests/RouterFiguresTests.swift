import BenchFigures
import Testing

@Suite struct RouterFiguresTests {
    @Test(
        "a load's command line is read back as it was written",
        arguments: [
            LoadCommand(.serve(tcp: [7000], udp: [7000, 7001], behindHeader: true), cpu: 1),
            LoadCommand(.serve(tcp: [7000], udp: [])),
            LoadCommand(.ping(bytes: 64, connections: 50, seconds: 0.6), server: "10.0.0.1:7000", cpu: 0),
            LoadCommand(.bulk(seconds: 1), server: "10.0.0.1:7000"),
            LoadCommand(.connect(count: 800), server: "10.0.0.1:7000"),
            LoadCommand(.datagrams(bytes: 512, window: 32, seconds: 0.5), server: "10.0.0.1:7000", cpu: 0),
            LoadCommand(.sequence(bytes: 512, perSecond: 20_000, seconds: 5), server: "10.0.0.1:7101"),
            LoadCommand(.hold(connections: 10_000, addresses: 1000), server: "10.0.0.1:7000"),
        ])
    func commands(_ command: LoadCommand) {
        #expect(LoadCommand(arguments: command.arguments) == command)
    }

    @Test(
        "a command line with a word too many, too few or out of bounds is none",
        arguments: [
            "", "dance", "ping", "bulk seconds=1", "bulk server=a:1 seconds=0", "bulk server=a:1 seconds=1 more=2",
            "bulk server=a:1 seconds=1 seconds=1", "bulk server=a:1 seconds=1 cpu=x", "bulk server=a:1 seconds",
            "serve tcp=7000 udp= header=0 server=a:1", "serve tcp=70000 udp= header=0", "connect server=a:1 count=0",
            "sequence server=a:1 bytes=11 rate=1 seconds=1", "sequence server=a:1 bytes=12 rate=1000000 seconds=3600",
        ])
    func wrongCommands(_ line: String) {
        #expect(LoadCommand(arguments: line.split(separator: " ").map(String.init)) == nil)
    }

    @Test("the last line that is a result counts, and is read as it was written")
    func results() {
        var result = LoadResult()
        result["p50"] = 12.5
        result["count"] = 3
        #expect(result.json == #"{"p50": 12.5, "count": 3.0}"#)
        #expect(LoadResult.last(in: "a warning\n{\"p50\": 1}\n\(result.json)\nmore") == result)
        #expect(LoadResult.last(in: "{\"p50\"") == nil)
        #expect(LoadResult(json: #"{"p50": "x"}"#) == nil)
        #expect(LoadResult(json: #"{p50: 1}"#) == nil)
    }

    @Test("percentiles are in microseconds; there are none without samples")
    func percentiles() {
        var samples = Samples()
        #expect(samples.percentiles([0.5]) == [0])
        for value in 1...100 { samples.add(UInt64(value) * 1000) }
        #expect(samples.percentiles([0, 0.5, 0.99, 1]) == [1, 51, 100, 100])
        samples.add(.max)
        #expect(samples.count == 101)
        #expect(samples.percentiles([1]) == [Double(UInt32.max) / 1000])
    }

    @Test("numbered datagrams are told apart: lost, come twice, overtaken, never sent")
    func sequence() {
        var tally = SequenceTally(count: 6)
        for number in [0, 2, 1, 2, 4, 9, -1] { tally.add(number) }
        #expect(tally.received == 4)
        #expect(tally.duplicates == 1)
        #expect(tally.reordered == 1)
        #expect(tally.unknown == 2)
        #expect(tally.lost(of: 5) == 1)
        #expect(tally.lost(of: 6) == 2)
    }

    @Test("processor time is found behind a name with spaces and parentheses")
    func processorTime() {
        let stat = "42 (a) b (c)) S 7 1 1 0 -1 4194560 1 0 0 0 150 250 3 4 20 0 9 0 1 2 3"
        #expect(ProcessorTime.ticks(stat: stat) == 400)
        #expect(ProcessorTime.parent(stat: stat) == 7)
        #expect(ProcessorTime.ticks(stat: "") == nil)
        #expect(ProcessorTime.busyTicks(machine: "cpu  10 1 20 1000 50 2 3 4 5 6\ncpu0 1") == 40)
        #expect(ProcessorTime.busyTicks(machine: "cpu 1 2") == nil)
    }

    @Test("the best peer of each round is the one that counts")
    func bestPeer() {
        var observations = Observations()
        for (round, haproxy, nginx) in [(1, 10.0, 20.0), (2, 40, 10)] {
            observations.add(Observation("rate-50", "HAProxy", round: round, haproxy, "/s"))
            observations.add(Observation("rate-50", "nginx stream", round: round, nginx, "/s"))
            observations.add(Observation("rate-50", "ours", round: round, 20, "/s"))
        }
        let peers = ["HAProxy", "nginx stream", "Envoy"]
        #expect(observations.ratio("rate-50", "ours", toBestOf: peers, isLowBest: false) == 0.75)
        #expect(observations.ratio("rate-50", "ours", toBestOf: peers, isLowBest: true) == 2)
        #expect(observations.ratio("rate-50", "ours", toBestOf: ["Envoy"], isLowBest: true) == nil)
    }

    @Test("what is not available is told with the first reason, and not met")
    func unavailable() {
        var unavailable = Unavailable()
        unavailable.add("VersionKit eBPF", "no such key")
        unavailable.add("VersionKit eBPF", "another")
        unavailable.add("VersionKit slow path", measure: 5, "no datagram comes back")
        #expect(unavailable[1, "VersionKit eBPF"] == "no such key")
        #expect(unavailable[5, "VersionKit slow path"] == "no datagram comes back")
        #expect(unavailable[1, "VersionKit slow path"] == nil)
        let report = Report(
            RouterGoals.all(of: [1]), Observations(), unavailable: unavailable, name: "bench-router")
        #expect(report.rows[1].figure == "not available: no such key")
        #expect(report.rows[2].figure == "not measured")
        #expect(report.rows.allSatisfy { $0.isMet != true })
        #expect(report.verdict == "bench-router: 0 of 8 goals met")
    }

    @Test("a variant that failed in a later round has no figure of the earlier ones")
    func failedLater() {
        var observations = Observations()
        observations.add(Observation("moving-lost", "VersionKit eBPF", round: 1, 0, "datagrams"))
        var unavailable = Unavailable()
        let goals = Array(RouterGoals.all(of: [6]).prefix(1))
        #expect(Report(goals, observations, unavailable: unavailable).met == 1)
        unavailable.add("VersionKit eBPF", measure: 6, "the flow does not move")
        #expect(Report(goals, observations, unavailable: unavailable).met == 0)
    }

    @Test("every goal of the router is about a variant that can be measured, and the control is only told")
    func goals() {
        let names = Set(RouterVariant.allCases.map(\.rawValue))
        #expect(RouterGoals.all.allSatisfy { names.contains($0.peer ?? "") })
        #expect(Set(RouterGoals.all.map(\.measure)) == Set(1...7))
        let control = RouterVariant.control.rawValue
        #expect(RouterGoals.all.allSatisfy { ($0.criterion == .none) == ($0.peer == control) })
    }
}
