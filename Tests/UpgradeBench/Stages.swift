import BenchDriver
import ExampleFleet
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// What the stages of an upgrade take on each host.
struct Stages {
    private let nodes: Int
    private let bytes: Int
    private let megabits: Int
    private let isolation: String

    init(_ settings: Settings) throws {
        nodes = try settings.number("nodes")
        bytes = try settings.number("bytes")
        megabits = try settings.number("megabits")
        isolation = try settings.text("isolation")
    }

    func run() async throws {
        // Without CRIU containers are crun's, as where nobody wants their memory kept.
        let fleet = try await BenchFleet(
            hosts: nodes, megabits: megabits,
            settings: ["\"isolation\": [\"\(isolation)\"]", "\"criu\": \"/dev/null\""])
        defer { fleet.stop() }
        try await fleet.install(try await fleet.release(1))
        let second = try await fleet.release(2, payload: Payload(bytes: bytes))
        let began = milliseconds()
        try await fleet.hosts[0].publish(second)
        for host in fleet.hosts {
            try await fleet.wait("version 2", on: host) { $0.applications.first?.serving.contains(2) == true }
        }
        var last = 0.0
        for (number, host) in fleet.hosts.enumerated() {
            let stages = try await fleet.stages(of: 2, on: host)
            let served = stages.first { $0.stage == .serve }
            guard let first = stages.first, let served else { throw FleetError("host \(number) has no stages") }
            tell("host \(number): Discover upgrade", Double(first.startedAt - began), "ms")
            for stage in stages where stage.stage != .serve && stage.stage != .retire {
                tell("host \(number): \(stage.stage.title)", Double(stage.milliseconds), "ms")
            }
            last = max(last, Double(served.startedAt - began))
        }
        tell("last serves", last / 1000, "s")
    }
}
