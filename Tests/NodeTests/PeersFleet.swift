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

    let testbed: Testbed
    private let directory: String
    private(set) var hosts: [ManagedHost] = []
    /// Versions 1 and 2; the hosts run the first one.
    private(set) var releases: [String] = []

    /// - Parameters:
    ///   - name: a directory in the sandbox's own /run.
    ///   - kernelPath: the fast path, as the configuration has it.
    init(_ name: String, kernelPath: String) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        directory = "/run/\(name)"
        try #require(mkdir(directory, 0o755) == 0)
        let programs = try Programs.directory()
        let workshop = Workshop(programs: programs, directory: directory)
        let key = try await workshop.makeKey()
        try await workshop.copyPrograms(["ports-service"], to: "\(directory)/files/opt/lines")
        for version in 1...2 {
            releases.append(try await workshop.makeRelease("lines-\(version)", description: Self.description(version)))
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

    private static func description(_ version: Int) -> String {
        """
        {
          "application": "lines", "version": \(version), "name": "\(version).0",
          \(version > 1 ? "\"replaces\": \(version - 1)," : "")
          "ports": { "peer": [\(port), { "udp": \(port) }] },
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
    func environment(of host: ManagedHost) throws -> Int32 {
        let child = try #require(ProcessFiles.agents(state: host.state).first, "no environment runs")
        let descriptor = open("/proc/\(child)/ns/net", O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        return descriptor
    }
}
