import ExampleFleet
import FoundationEssentials
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Two hosts with both kinds of address, on which a service runs whose registered port answers lines by TCP and by UDP:
/// for what peers notice of their routers.
final class PeersFleet {
    static let port: UInt16 = 7400

    /// A version 2 with state, whose migrator comes to no end before ``PeersFleet/letMigrate()``.
    struct Held {
        /// Whether its peers reach it before it serves.
        var peersBeforeServe: Bool
    }

    let testbed: Testbed
    private let directory: String
    private(set) var hosts: [ManagedHost] = []
    /// Versions 1 and 2; the hosts run the first one.
    private(set) var releases: [String] = []

    /// - Parameters:
    ///   - name: a directory in the sandbox's own /run.
    ///   - kernelPath: the fast path, as the configuration has it.
    ///   - held: `nil`: version 2 has no state.
    init(_ name: String, kernelPath: String, held: Held? = nil) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        directory = "/run/\(name)"
        try #require(mkdir(directory, 0o755) == 0)
        let programs = try Programs.directory()
        let workshop = Workshop(programs: programs, directory: directory)
        let key = try await workshop.makeKey()
        try await workshop.copyPrograms(["ports-service"], to: "\(directory)/files/opt/lines")
        let migrator = "\(directory)/files/opt/lines/held-migrate"
        try write("#!/bin/sh\nwhile [ ! -e \(Self.go(directory)) ]; do sleep 0.1; done\n", to: migrator)
        try #require(chmod(migrator, 0o755) == 0)
        for version in 1...2 {
            releases.append(
                try await workshop.makeRelease("lines-\(version)", description: Self.description(version, held)))
        }
        var plan = TestbedPlan()
        plan.segment("lan")
        for number in 1...2 {
            plan.host("h\(number)", address: "10.99.0.\(number)", address6: "fd00:99::\(number)", on: "lan")
        }
        testbed = try Testbed(plan)
        for host in ["h1", "h2"] {
            hosts.append(
                try ManagedHost.start(
                    try #require(testbed[host]), application: "lines", key: key, programs: programs,
                    directory: "\(directory)/\(host)", settings: ["\"kernelPath\": \"\(kernelPath)\""]))
        }
        for host in hosts {
            try await wait("versiond", on: host) { _ in true }
            try await host.publish(releases[0])
        }
        for host in hosts { try await wait("version 1", on: host) { $0.serves(only: 1) } }
    }

    deinit {
        testbed.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func go(_ directory: String) -> String { "\(directory)/go" }

    /// Lets the migrators of a held version 2 end.
    func letMigrate() throws { try write("", to: Self.go(directory)) }

    private static func description(_ version: Int, _ held: Held?) -> String {
        // State is copied between ports for clients, of which there are none here.
        let proxy = held.map { _ in "\"proxy\": \"/opt/lines/ports-service\"," } ?? ""
        let client = held.map { _ in ", \"client\": [\(port + 1)]" } ?? ""
        let held = version > 1 ? held : nil
        let migrator = held.map { _ in "\"migrator\": \"/opt/lines/held-migrate\"," } ?? ""
        let early = held.map { ", \"peersBeforeServe\": \($0.peersBeforeServe)" } ?? ""
        return """
            {
              "application": "lines", "version": \(version), "name": "\(version).0",
              \(version > 1 ? "\"replaces\": \(version - 1)," : "") \(proxy) \(migrator)
              "ports": { "peer": [\(port), { "udp": \(port) }]\(client)\(early) },
              "files": "files",
              "start": ["/opt/lines/ports-service", "serve", "\(version)", "\(port)"],
              "health": { "port": \(port), "intervalMilliseconds": 50 },
              "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": 300 }
            }

            """
    }

    @discardableResult
    func wait(_ what: String, on host: ManagedHost, until isReached: (NodeStatus) -> Bool) async throws -> NodeStatus {
        let deadline = ContinuousClock.now + TestFleet.patience
        var last: NodeStatus?
        while ContinuousClock.now < deadline {
            if let status = await host.status() {
                if isReached(status) { return status }
                last = status
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw FleetError("no \(what); last: \(last.map(StatusTable.text) ?? "no answer")")
    }

    /// The network namespace of a host's environment; the caller closes the descriptor.
    ///
    /// - Parameter others: the first processes of environments that are not meant.
    func environment(of host: ManagedHost, besides others: Set<Int32> = []) throws -> Int32 {
        let agents = ProcessFiles.agents(state: host.state).subtracting(others)
        let child = try #require(agents.first, "no environment runs")
        let descriptor = open("/proc/\(child)/ns/net", O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        return descriptor
    }
}
