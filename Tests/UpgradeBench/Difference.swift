import BenchDriver
import ExampleFleet
import VersionKitModel

/// How many bytes a release brings to a host that has another one.
struct Difference {
    private let bytes: Int

    init(_ settings: Settings) throws { bytes = try settings.number("bytes") }

    func run() async throws {
        let fleet = try await BenchFleet(hosts: 2)
        defer { fleet.stop() }
        try await fleet.install(try await fleet.release(1))
        let payload = Payload(bytes: bytes)
        let replaced = payload.replacing(percent: 2)
        let full = try await received(2, payload, on: fleet)
        let few = try await received(3, replaced, on: fleet)
        let inserted = try await received(4, replaced.inserting(percent: 100), on: fleet)
        tell("whole", full / 1e6, "MB")
        tell("2 % of the files are others", few / 1e6, "MB")
        tell("every file has 64 bytes more", inserted / 1e6, "MB")
        tell("2 % to whole", few / full * 100, "%")
        tell("64 bytes more to whole", inserted / full * 100, "%")
    }

    /// What comes to the second host while it goes on to this version.
    private func received(_ version: Version, _ payload: Payload, on fleet: BenchFleet) async throws -> Double {
        let release = try await fleet.release(version, payload: payload)
        let before = try fleet.received(fleet.hosts[1])
        try await fleet.hosts[0].publish(release)
        try await fleet.waitUntilAll(serveOnly: version)
        return try fleet.received(fleet.hosts[1]) - before
    }
}
