import CFSRing
import CFSSimulation
import Testing

@Suite("Rings whose nodes come and go")
struct ChurnTests {
    @Test("lookups and blocks of generation 2 survive churn, with messages lost")
    func survives() {
        var chord = ChordParameters.generation2
        chord.neighbours = 12
        var dhash = DHashParameters.generation2
        (dhash.fragments, dhash.fragmentsNeeded, dhash.sourcesToBegin) = (10, 4, 6)
        dhash.replicaTimer = .seconds(30)
        var network = Network.realistic
        network.loss = 0.01
        var ring = RingSimulation(seed: 1, network: network, parameters: chord, dhash: dhash)
        ring.grow(to: 24, perSecond: 0.5, settle: .seconds(60))
        let (keys, _) = ring.insertBlocks(10, length: 500, atATime: 10)
        let churn = RingSimulation.Churn(halfLife: .seconds(1200), window: .seconds(240), lookups: 1, fetches: 1)
        let window = ring.live(through: churn, fetching: keys)
        #expect(window.deaths >= 2)
        #expect(window.failedLookups < 0.1 && window.right > 200)
        #expect(window.missed == 0 && window.fetched > 200)
        #expect(ring.lost(of: keys, needed: 4) == 0)
    }

    @Test("a picture has a line for each series, and names that cannot be taken for marks")
    func picture() {
        let line = LineChart.Line(name: "a < b", points: [(100, 1), (300, 2.5), (1000, 4)])
        let chart = LineChart(title: "t", xName: "x", yName: "y", lines: [line, line], isByRank: true)
        #expect(chart.svg.split(separator: "\n").count { $0.hasPrefix("<polyline") } == 2)
        #expect(chart.svg.contains("a &lt; b") && chart.svg.contains("points=\"60,274 270,190 480,106\""))
        #expect(LineChart(title: "", xName: "", yName: "", lines: []).svg.hasSuffix("</svg>\n"))
    }
}
