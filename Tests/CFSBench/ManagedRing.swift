import BenchDriver
import CFSFleet
import ExampleFleet
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// Nodes behind VersionKit, generation 1 alone, and then beside generation 2; in turns with nodes of generation 1 by themselves, on
/// hosts of their own.
struct ManagedRing {
    /// So long does nobody need a generation before it retires: longer than any measurement, since both are to run.
    private static let retirementMilliseconds = 3_600_000
    /// Hosts that get their first release at a time, since they are one machine.
    private static let installsMax = 4

    private let hosts: BenchHosts
    private let native: NativeRing
    private let hasBoth: Bool

    init(_ settings: Settings) throws {
        hosts = try BenchHosts(settings)
        native = try NativeRing(settings, generation: 1)
        hasBoth = try settings.text("both") == "yes"
    }

    func run() async throws {
        defer {
            native.stop()
            hosts.stop()
        }
        try await native.start()
        let workshop = Workshop(programs: hosts.programs, directory: hosts.directory)
        let key = try await workshop.makeKey()
        let fleetKey = try await workshop.makeFleetKey()
        let nodes = try hosts.hosts.enumerated().map { index, host in
            try hosts.fleet.start(
                index + 1, on: host, programs: hosts.programs, directory: hosts.directory, key: key,
                settings: ["\"fleetKey\": \"\(fleetKey)\""])
        }
        for node in nodes { try await wait("versiond", on: node) { _ in true } }
        try await bring(1, to: nodes, workshop) { $0.serves(only: 1) }
        try await measure("one version", firstSeed: 1)
        guard hasBoth else { return }
        try await bring(2, to: nodes, workshop, isServing: Self.servesBoth)
        try await measure("both generations", firstSeed: 1 + hosts.repeats + 1)
        // A figure of what ran by itself in the end is none.
        for node in nodes { try await wait("both generations", on: node, until: Self.servesBoth) }
    }

    private func measure(_ what: String, firstSeed: Int) async throws {
        try await DBM.measure(
            [("native beside \(what): ", native.client), ("\(what): ", hosts.client(form: "2004"))],
            repeats: hosts.repeats, firstSeed: firstSeed)
    }

    private static func servesBoth(_ status: NodeStatus) -> Bool {
        status.version(1)?.state == .serving && status.version(2)?.state == .serving
    }

    /// Gives all hosts a generation, and waits until its nodes are a ring.
    private func bring(
        _ generation: Version, to nodes: [ManagedHost], _ workshop: Workshop, isServing: (NodeStatus) -> Bool
    ) async throws {
        let release = try await hosts.fleet.makeRelease(
            Int(generation.number), in: workshop, retirementPeriod: Self.retirementMilliseconds)
        for first in stride(from: 0, to: nodes.count, by: Self.installsMax) {
            let some = nodes[first..<min(first + Self.installsMax, nodes.count)]
            for node in some { try await publish(release, of: generation, on: node) }
            // The second spreads by itself, and everywhere at a time.
            if generation == 1 { for node in some { try await wait("generation 1", on: node, until: isServing) } }
        }
        for node in nodes { try await wait("generation \(generation)", on: node, until: isServing) }
        try await Patience.wait(for: "ring of generation \(generation)") {
            await (try NodeProcesses(Int(generation.number), count: nodes.count)).missing(of: nodes.count)
        }
    }

    private func publish(_ release: String, of version: Version, on node: ManagedHost) async throws {
        do {
            try await node.publish(release)
        } catch let error as FleetError {
            // Another host may have told it of the version already.
            guard await node.status()?.version(version) != nil else { throw error }
        }
    }

    private func wait(
        _ what: String, on node: ManagedHost, until isReached: (NodeStatus) -> Bool
    ) async throws {
        try await Patience.wait(for: "\(what) on \(node.host.name)") {
            guard let status = await node.status() else { return "it does not answer" }
            for version in status.applications.first?.versions ?? [] where version.state == .failed {
                throw FleetError("version \(version.version) failed on \(node.host.name): \(version.reason ?? "")")
            }
            return isReached(status) ? nil : StatusTable.text(of: status)
        }
    }
}
