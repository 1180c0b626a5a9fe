import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

@testable import VersionKitNode

/// Goal: a version is well if what its release asks for says so. Method: a listener on loopback; and real versiond.
@Suite("Health checks of versions", .serialized)
struct HealthCheckTests {
    /// What a check says of somebody who answers each connection like that.
    private func failure(of check: ReleaseManifest.HealthCheck, answer: String) async throws -> String? {
        let loopback = IPAddress(v4: 0x7F00_0001)
        let listener = try openSocket(.v4, .stream)
        defer { close(listener) }
        #expect(bindSocket(listener, to: Endpoint(address: loopback, port: 0)))
        #expect(listen(listener, 1) == 0)
        SystemThread(name: "answers") {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            var buffer = [UInt8](repeating: 0, count: 4096)
            _ = recv(client, &buffer, buffer.count, 0)
            send(client, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
            close(client)
        }.start()
        var check = check
        check.port = try #require(localEndpoint(of: listener)).port
        return await HealthCheck(check: check, address: loopback, agent: .unix(path: "/nowhere")).failure()
    }

    @Test("a request is judged by the status of its answer")
    func http() async throws {
        var check = ReleaseManifest.HealthCheck(kind: .http, port: 1)
        check.path = "/health"
        #expect(try await failure(of: check, answer: "HTTP/1.1 204 No Content\r\n\r\n") == nil)
        let bad = try #require(try await failure(of: check, answer: "HTTP/1.1 503 Busy\r\n\r\n"))
        #expect(bad.contains("GET /health") && bad.contains("status 503"))
        check.status = 503
        #expect(try await failure(of: check, answer: "HTTP/1.1 503 Busy\r\n\r\n") == nil)
        #expect(try await failure(of: check, answer: "SSH-2.0\r\n")?.contains("not HTTP") == true)
        #expect(try await failure(of: check, answer: "HTTP/1.1 2")?.contains("no answer") == true)
        #expect(try await failure(of: ReleaseManifest.HealthCheck(port: 1), answer: "anything") == nil)
    }

    @Test("a command inside that fails keeps a version from serving, with what it said")
    func command() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        try await node.publish(fleet.releases.unwell2)
        let status = try await fleet.wait(for: "failure", on: node) { $0.version(2)?.state == .failed }
        let reason = try #require(status.version(2)?.reason)
        #expect(reason.contains("within 1500 ms") && reason.contains("exit code 7: not yet"), "\(reason)")
        #expect(status.applications.first?.serving == [1])
    }

    @Test("a version that fails its checks while the older one runs is taken away, and nobody notices")
    func steadyWithOlder() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.checked2)
        try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        try await node.sicken(2)
        let status = try await fleet.wait(for: "version 1 alone", on: node) {
            $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil && $0.applications.first?.serving == [1]
        }
        #expect(status.version(2)?.reason?.contains("failed 2 health checks in a row") == true)
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("a version that fails its checks and is alone is started again, and goes on with its data")
    func steadyAlone() async throws {
        let fleet = try await TestFleet(hosts: 1, version1: \.checked1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        let before = RestartedNode(node: node).versions
        try await node.sicken(1)
        try await fleet.wait(for: "end of the process", on: node) { _ in
            RestartedNode(node: node).versions.isDisjoint(with: before)
        }
        let deadline = ContinuousClock.now + TestFleet.patience
        while try await !node.heal(1) {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(20))
        }
        try await fleet.wait(for: "a version that is well", on: node) { _ in
            RestartedNode(node: node).versions.count == 1
                && RestartedNode(node: node).log.contains("version 1 of irislog runs again")
        }
        #expect(RestartedNode(node: node).log.contains("failed 2 health checks in a row"))
        let numbers = try await load.finish()
        #expect(numbers.lost == 0)
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
    }
}

extension FleetNode {
    /// Runs a command beside a version, as what is changed behind its back it need not see.
    private func run(_ version: Version, _ command: String...) async throws -> Bool {
        try await versionctl("exec", ["irislog", "--version", "\(version)", "--"] + command).exit.isSuccess
    }

    /// Has a version's health checks fail that look for this file.
    fileprivate func sicken(_ version: Version) async throws {
        try #require(try await run(version, "/bin/touch", "/var/lib/irislog/sick"))
    }

    /// Takes it away again; false: the version is not there just now.
    fileprivate func heal(_ version: Version) async throws -> Bool {
        try await run(version, "/bin/rm", "/var/lib/irislog/sick")
    }
}
