/// Figure 16 of the paper on simultaneous execution: what is stored and fetched a second with VersionKit and without.
package enum CFSChart {
    /// What the paper's text says of 16 nodes, to its native ones; its figure has no numbers.
    package static let paper = ["write": 0.48, "read": 0.28]

    /// Bars of our own beside the paper's.
    package static func throughput(_ observations: Observations, _ scale: CFSScale) -> StackedChart {
        let ways = ["write", "read"]
        return StackedChart(
            title: "One client, \(scale.ring.blocks) blocks of 2 KB one by one, \(scale.ring.hosts) nodes",
            panels: ways.map { way in
                panel(
                    "\(way), MB/s",
                    CFSRun.peers.map { observations.median(CFSRun.key(CFSRun.ring(scale), way), $0) })
            }
                + ways.map { way in panel("the paper: \(way), to native", [1, paper[way]]) },
            series: CFSRun.peers)
    }

    /// A bar has one part, at its own place: so it has its series' colour.
    private static func panel(_ name: String, _ values: [Double?]) -> StackedChart.Panel {
        StackedChart.Panel(
            name: name,
            bars: values.enumerated().compactMap { place, value in
                value.map { StackedChart.Bar(name: "", values: Array(repeating: 0, count: place) + [$0]) }
            })
    }
}
