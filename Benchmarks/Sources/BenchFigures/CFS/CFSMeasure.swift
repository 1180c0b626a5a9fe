/// What is measured of CFS, by its number.
package enum CFSMeasure: Int, CaseIterable, Sendable {
    /// With one version behind VersionKit.
    case oneVersion = 1
    /// With both generations.
    case bothGenerations
    /// Of nodes on one host.
    case loopback
    /// Hops, in simulation.
    case lookups
    /// Blocks that are lost, in simulation.
    case losses

    /// What the driver is to do in each round for these measures, each in a sandbox of its own.
    ///
    /// In the first, nodes behind VersionKit take turns with nodes by themselves.
    package static func runs(for measures: Set<CFSMeasure>, _ scale: CFSScale) -> [CFSRun] {
        var runs: [CFSRun] = []
        let hasBoth = measures.contains(.bothGenerations)
        if hasBoth || measures.contains(.oneVersion) {
            let words = scale.ring.words
            runs.append(
                CFSRun(
                    CFSRun.oneVersion, CFSRun.ring(scale), ["versionkit", "both=\(hasBoth ? "yes" : "no")"] + words))
            if hasBoth {
                runs.append(CFSRun(CFSRun.native2, CFSRun.ring(scale), ["native", "generation=2"] + words))
            }
        }
        if measures.contains(.loopback) {
            runs += [1, 16].map { concurrency in
                CFSRun(
                    CFSRun.native, CFSRun.loopback(scale, concurrency),
                    ["loopback", "concurrency=\(concurrency)"] + scale.loopback.words)
            }
        }
        return runs
    }

    /// What is simulated for these measures: once, since a seed says all.
    package static func simulations(for measures: Set<CFSMeasure>, _ scale: CFSScale) -> [CFSSimulation] {
        CFSSimulation.all(scale).filter { measures.contains($0.measure) }
    }
}
