import Testing

@testable import BenchFigures

@Suite struct CFSFiguresTests {
    @Test("a table of a program is read by its columns' names, and what is no table is none")
    func table() throws {
        let table = try #require(CommaTable("a,b\n1,2.5\n-3,4\n"))
        #expect(table.rows == [["a": 1, "b": 2.5], ["a": -3, "b": 4]])
        #expect(CommaTable("a,b\n")?.rows == [])
        for text in [
            "", "\n", "a,a\n1,2\n", "a,b\n1\n", "a,b\n1,2,3\n", "a,b\n1,\n", "a,b\n1,x\n", "a\nnan\n", "a\ninf\n",
        ] {
            #expect(CommaTable(text) == nil, "\(text)")
        }
    }

    @Test("rows of a run with several states are those of whoever ran then")
    func states() throws {
        let run = try #require(CFSMeasure.runs(for: [.bothGenerations], .full).first { $0.words[0] == "versionkit" })
        let states = ["one version: ", "both generations: "]
        let rows = (states + states.map { "native beside \($0)" } + [""]).compactMap {
            DriverRow(line: "\($0)write\t1\tMB/s")
        }
        let observations = run.observations(rows, round: 3)
        #expect(
            observations.map(\.peer) == [
                CFSRun.oneVersion, CFSRun.bothGenerations, CFSRun.native, CFSRun.nativeBesideBoth, run.peer,
            ])
        #expect(Set(observations.map(\.measure)) == ["512 blocks on 16 hosts: write"])
        #expect(observations.allSatisfy { $0.round == 3 })
    }

    @Test("who asks for one version alone does not wait for the other generation")
    func runs() {
        #expect(
            CFSMeasure.runs(for: [.oneVersion], .full).map { $0.words.prefix(2) } == [["versionkit", "both=no"]])
        #expect(
            CFSMeasure.runs(for: [.oneVersion, .bothGenerations], .full).map(\.words[0]) == ["versionkit", "native"])
        #expect(CFSMeasure.runs(for: [.lookups, .losses], .full).isEmpty)
        #expect(CFSMeasure.simulations(for: [.oneVersion, .loopback], .full).isEmpty)
        #expect(
            CFSMeasure.simulations(for: [.lookups, .losses], .full).map(\.words[0]) == [
                "hops", "blocks", "blocks", "failures",
            ])
    }

    /// What a good run would bring.
    private func everything(_ scale: CFSScale) throws -> Observations {
        var all = Observations()
        for run in CFSMeasure.runs(for: Set(CFSMeasure.allCases), scale) {
            let states = ["one version: ", "both generations: "]
            let prefixes = run.words[0] == "versionkit" ? states + states.map { "native beside \($0)" } : [""]
            let rows = prefixes.flatMap { prefix in
                ["write", "read"].compactMap { DriverRow(line: "\(prefix)\($0)\t1\tMB/s") }
            }
            for observation in run.observations(rows, round: 1) { all.add(observation) }
        }
        let hops = [1, 2].flatMap { generation in
            scale.lookups.map { "\(generation),\($0),1,1,\(3 - generation),100,200,10,0,0" }
        }
        let blocks = [1, 2].flatMap { generation in
            // The last row is the last in time.
            [(0, 3), (80, 0)].map {
                "\(generation),\(scale.losses.blocks),8192,7,\($0),3,10,14,\($1),\(scale.losses.blocks)"
            }
        }
        let tables = [
            "hops": "generation,nodes,hops,share,mean,median_ms,ninety_ms,right,wrong,failed\n"
                + hops.joined(separator: "\n"),
            "blocks": "generation,blocks,length,needed,minutes,fewest,median,most,too_few,fetched\n"
                + blocks.joined(separator: "\n"),
            "failures":
                "generation,failed_nodes,failed_lookups,failed_fetches,blocks_lost,blocks,lookup_ninety_ms\n1,0.3,0.11,0.04,40,1000,17500",
        ]
        for simulation in CFSMeasure.simulations(for: Set(CFSMeasure.allCases), scale) {
            let table = try #require(tables[simulation.words[0]].flatMap { CommaTable($0) })
            for observation in simulation.observations(table) { all.add(observation) }
        }
        return all
    }

    @Test("every judged figure is one that a run of its measure brings, and a short run meets no goal of a long one")
    func names() throws {
        let (full, quick) = (try everything(.full), try everything(.quick))
        for goal in CFSGoals.all where goal.criterion != .none {
            #expect(goal.row(full).isMet == true, "\(goal.title)")
            #expect(goal.row(quick).isMet == false, "\(goal.title)")
        }
    }

    @Test("there are twelve figures to reach, and what nobody measured is not reached")
    func judged() {
        #expect(Report(CFSGoals.all, Observations(), name: "bench-cfs").verdict == "bench-cfs: 0 of 12 goals met")
        #expect(CFSGoals.all(of: [4]).allSatisfy { $0.measure == 4 })
    }

    @Test("a ring is compared with the one of its own round")
    func rounds() throws {
        let run = CFSRun.key(CFSRun.ring(.full), "read")
        let rows = [(1, 1.0, 0.9), (2, 2.0, 2.0), (3, 4.0, 2.0)].flatMap { round, native, ours in
            [
                Observation(run, CFSRun.native, round: round, native, "MB/s"),
                Observation(run, CFSRun.oneVersion, round: round, ours, "MB/s"),
            ]
        }
        let goal = try #require(
            CFSGoals.all.first { $0.criterion == .atLeast(0.95) && $0.title.hasSuffix("read, to native") })
        #expect(goal.figure(Observations(rows)) == 0.9)
    }

    @Test("what is told last of a simulated ring is what became of it; a table of something else says nothing")
    func simulations() throws {
        let observations = try everything(.full)
        let losses = CFSSimulation.losses(.full, length: 8192)
        #expect(observations.values(CFSRun.key(losses, "with too few fragments"), "generation 1") == [0])
        #expect(observations.values(CFSRun.key(CFSSimulation.lookups(1000), "hops"), "generation 2") == [1])
        let failed = "before 1000 nodes noticed that 30 % failed: lookups failed"
        #expect(observations.values(failed, "generation 1") == [11])
        let other = try #require(CommaTable("x,y\n1,2\n"))
        #expect(CFSSimulation.all(.full).allSatisfy { $0.observations(other).isEmpty })
    }

    @Test("figure 16 has a bar for whoever was measured, beside the paper's")
    func chart() throws {
        let chart = CFSChart.throughput(try everything(.full), .full)
        #expect(chart.panels.map(\.bars.count) == [4, 4, 2, 2])
        // Each has its own place, so its own colour.
        #expect(chart.panels[0].bars.map(\.values.count) == [1, 2, 3, 4])
        #expect(chart.panels[2].bars.map(\.height) == [1, 0.48])
        #expect(CFSChart.throughput(Observations(), .full).panels[0].bars.isEmpty)
        // Background, 12 bars, 4 names.
        #expect(chart.svg.split(separator: "<rect").count - 1 == 1 + 12 + 4)
    }
}
