import ExampleFleet
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed

/// A host with both kinds of address that runs version 1 of a service whose versions answer lines with their number, behind
/// a proxy with a UDP port and a Unix socket for clients.
final class LinesHost {
    static let port: UInt16 = 7300

    let testbed: Testbed
    var host: ManagedHost
    private let releases: [Int: String]

    /// - Parameters:
    ///   - name: a directory in the sandbox's own /run.
    ///   - onlyFirst: ports that version 2 does not declare any more, as in a manifest.
    ///   - retirementPeriod: for how many milliseconds nobody may need version 1 before it retires.
    init(_ name: String, onlyFirst: [String] = [], retirementPeriod: Int = 300) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        let directory = "/run/\(name)"
        try #require(mkdir(directory, 0o755) == 0)
        let programs = try Programs.directory()
        let workshop = Workshop(programs: programs, directory: directory)
        let key = try await workshop.makeKey()
        var releases: [Int: String] = [:]
        for version in [1, 2] {
            try await workshop.copyPrograms(["ports-service"], to: "\(directory)/files-\(version)/opt/lines")
            releases[version] = try await workshop.makeRelease(
                "lines-\(version)",
                description: Self.description(version, version == 1 ? onlyFirst : [], retirementPeriod))
        }
        self.releases = releases
        var plan = TestbedPlan()
        plan.segment("lan")
        plan.host("a", address: "10.99.0.1", address6: "fd00:99::1", on: "lan")
        testbed = try Testbed(plan)
        host = try ManagedHost.start(
            try #require(testbed["a"]), application: "lines", key: key, programs: programs,
            directory: "\(directory)/node")
        try await wait("versiond") { _ in true }
        try await publish(1)
    }

    deinit { testbed.stop() }

    private static func description(_ version: Int, _ others: [String], _ period: Int) -> String {
        """
        {
          "application": "lines", "version": \(version), "name": "\(version).0",
          \(version > 1 ? "\"replaces\": \(version - 1)," : "")
          "ports": { "client": [
            \((["{ \"udp\": \(port) }", "{ \"unix\": \"lines.sock\", \"port\": \(port) }"] + others).joined(separator: ", "))
          ] },
          "files": "files-\(version)",
          "start": ["/opt/lines/ports-service", "serve", "\(version)", "\(port)"],
          "health": { "port": \(port), "intervalMilliseconds": 50 },
          "proxy": "/opt/lines/ports-service",
          "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": \(period) }
        }

        """
    }

    var path: String { "\(host.directory)/state/sockets/lines/lines.sock" }

    /// Publishes a version, and waits until it is all that there is.
    func publish(_ version: Int) async throws {
        try await host.publish(try #require(releases[version]))
        let version = try #require(Version(UInt32(version)))
        try await wait("version \(version) alone") { $0.serves(only: version) }
    }

    /// Publishes version 2, and waits until it serves beside version 1.
    func publishBeside() async throws {
        try await host.publish(try #require(releases[2]))
        try await wait("both versions") { $0.applications.first?.serving == [1, 2] }
    }

    /// Has a version fail every write from now on.
    func fail(_ version: Version) async throws {
        let address = try #require(await host.status()?.version(version)?.addresses?.primary)
        let client = try PortClient(
            in: host.host.namespace, .stream, to: Endpoint(address: address, port: Self.port))
        #expect(client.ask("fail\n") == "\(version)")
    }

    @discardableResult
    func wait(_ what: String, until isReached: (NodeStatus) async -> Bool) async throws -> NodeStatus {
        let deadline = ContinuousClock.now + TestFleet.patience
        var last: NodeStatus?
        while ContinuousClock.now < deadline {
            if let status = await host.status() {
                if await isReached(status) { return status }
                last = status
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw FleetError("no \(what); last: \(last.map(StatusTable.text) ?? "no answer")")
    }

    /// What versiond and the proxies said last, for a failure.
    func logs() async -> String {
        let files = ["\(host.directory)/versiond.log", "\(host.directory)/state/log/lines-proxy.log"]
        return (try? await Command.run("tail", ["-n", "400"] + files))?.output ?? "no logs"
    }

    func clients() throws -> [PortClient] {
        let addresses = try host.host.addresses.map { try #require(IPAddress($0)) }
        return try addresses.map { address in
            try PortClient(on: host.host, datagramsTo: Endpoint(address: address, port: Self.port))
        } + [try PortClient(socket: path)]
    }
}
