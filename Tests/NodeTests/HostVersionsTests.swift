import ExampleFleet
import FoundationEssentials
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Goal: versions that are no more than processes of the node, all of which serve one port at all addresses, meet only
/// their own kind on other hosts. Method: two hosts with both versions of a service that answers with its number.
@Suite("Versions in the node's own network", .serialized)
struct HostVersionsTests {
    private static let port: UInt16 = 7400

    private final class Setting {
        let testbed: Testbed
        private let directory: String
        var hosts: [ManagedHost] = []

        init(_ name: String, kernelPath: String) async throws {
            try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
            directory = "/run/\(name)"
            try #require(mkdir(directory, 0o755) == 0)
            let programs = try Programs.directory()
            let workshop = Workshop(programs: programs, directory: directory)
            let key = try await workshop.makeKey()
            try await workshop.copyPrograms(["ports-service"], to: "\(directory)/files/opt/lines")
            var releases: [String] = []
            for version in 1...2 {
                releases.append(
                    try await workshop.makeRelease("lines-\(version)", description: Self.description(version)))
            }
            var plan = TestbedPlan()
            plan.segment("lan")
            for number in 1...2 { plan.host("h\(number)", address: "10.99.0.\(number)", on: "lan") }
            testbed = try Testbed(plan)
            for name in ["h1", "h2"] {
                hosts.append(
                    try ManagedHost.start(
                        try #require(testbed[name]), application: "lines", key: key, programs: programs,
                        directory: "\(directory)/\(name)",
                        settings: ["\"isolation\": [\"process\"]", "\"kernelPath\": \"\(kernelPath)\""]))
            }
            for host in hosts { try await wait("versiond", on: host) { _ in true } }
            for (release, serving) in zip(releases, [[1], [1, 2]] as [[Version]]) {
                for host in hosts {
                    try await host.publish(release)
                    try await wait("\(serving)", on: host) { $0.applications.first?.serving == serving }
                }
            }
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
              "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": 600000 }
            }

            """
        }

        @discardableResult
        func wait(
            _ what: String, on host: ManagedHost, until isReached: (NodeStatus) -> Bool
        ) async throws -> NodeStatus {
            let deadline = ContinuousClock.now + TestFleet.patience
            var last: NodeStatus?
            while ContinuousClock.now < deadline {
                if let status = await host.status() {
                    if isReached(status) { return status }
                    last = status
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            let log = (try? String(contentsOfFile: host.directory + "/versiond.log", encoding: .utf8)) ?? "no log"
            throw FleetError("no \(what); last: \(last.map(StatusTable.text) ?? "no answer")\n\(log.suffix(4000))")
        }

        func versionctl(_ arguments: [String], on host: ManagedHost) async throws -> String {
            let result = try await Command.run(
                try Programs.directory() + "/versionctl",
                [arguments[0], "--socket", "\(host.directory)/control.sock"] + arguments.dropFirst())
            return result.output
        }

        /// Who answers a version of the first host at the second one's port.
        func answer(to version: Int, by transport: String) async throws -> String {
            let peer = "/dev/\(transport)/10.99.0.2/\(port)"
            return try await versionctl(
                [
                    "exec", "lines", "--version", "\(version)", "--", "bash", "-c",
                    "exec 3<>\(peer) && echo x >&3 && timeout 10 dd bs=64 count=1 status=none <&3",
                ], on: hosts[0])
        }

        func expectAnswers() async throws {
            for version in 1...2 {
                for transport in ["tcp", "udp"] {
                    let answer = try await answer(to: version, by: transport)
                    guard answer != "\(version)\n" else { continue }
                    var states: [String] = []
                    for host in hosts { states.append(await host.status().map(StatusTable.text) ?? "no answer") }
                    Issue.record("version \(version) by \(transport): '\(answer)'\n\(states.joined(separator: "\n"))")
                }
            }
        }
    }

    @Test(
        "each meets its own version on another host, by the relay and by the kernel, whatever becomes of versiond",
        arguments: ["auto", "none"])
    func meet(kernelPath: String) async throws {
        let setting = try await Setting("host-versions-\(kernelPath)", kernelPath: kernelPath)
        let result = await Result.of { try await meet(setting, isFast: kernelPath == "auto") }
        // Control groups are the machine's, and would outlive the sandbox.
        for host in setting.hosts { try await host.stop() }
        try result.get()
        for host in setting.hosts { #expect(try host.host.run("ip", ["rule"]).output.contains("127.77") == false) }
    }

    private func meet(_ setting: Setting, isFast: Bool) async throws {
        try await setting.expectAnswers()
        if isFast {
            let status = try await setting.wait("routes", on: setting.hosts[0]) {
                ($0.router.kernel?.routes ?? 0) >= 2
            }
            #expect(status.router.kernel?.hostKind == "cgroup")
            #expect(status.router.kernel?.directPorts == 2)
            #expect(Diagnosis.findings(of: status).filter(\.isTrouble) == [])
        }
        let outbound = await setting.hosts[0].status()?.router.outbound
        try await setting.expectAnswers()
        if isFast { #expect(await setting.hosts[0].status()?.router.outbound == outbound) }
        // One that executes its next, and one that is killed.
        for host in setting.hosts {
            let output = try await setting.versionctl(["restart"], on: host)
            #expect(!output.contains("error"), "\(output)")
        }
        try await setting.expectAnswers()
        for (index, host) in setting.hosts.enumerated() {
            try await host.kill()
            setting.hosts[index] = try host.restarted()
        }
        for host in setting.hosts {
            // Which versions serve is known from the journal, before versiond has found their processes again.
            try await setting.wait("both versions", on: host) {
                let versions = $0.applications.first?.versions.filter { $0.addresses != nil }.map(\.version)
                return versions == [1, 2] && $0.router.kernel?.directPorts == (isFast ? 2 : 0)
            }
        }
        try await setting.expectAnswers()
    }
}

extension Result where Failure == any Error {
    /// What came of it.
    fileprivate static func of(_ body: () async throws -> Success) async -> Self {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}
