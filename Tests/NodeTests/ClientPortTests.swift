import ExampleFleet
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Clients by UDP and by a Unix socket, on a real host. Goal: both reach a service over its upgrade and over a new
/// versiond as TCP clients do. Method: a service whose versions answer with their number.
@Suite("Ports of clients", .serialized)
struct ClientPortTests {
    private static let port: UInt16 = 7300

    /// A host that runs version 1.
    private final class Setting {
        let testbed: Testbed
        var host: ManagedHost
        let releases: [Int: String]

        /// - Parameter name: a directory in the sandbox's own /run.
        init(_ name: String) async throws {
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
                    "lines-\(version)", description: Self.description(version))
            }
            self.releases = releases
            var plan = TestbedPlan()
            plan.segment("lan")
            plan.host("a", address: "10.99.0.1", on: "lan")
            testbed = try Testbed(plan)
            host = try ManagedHost.start(
                try #require(testbed["a"]), application: "lines", key: key, programs: programs,
                directory: "\(directory)/node")
            try await wait("versiond") { _ in true }
            try await publish(1)
        }

        deinit { testbed.stop() }

        private static func description(_ version: Int) -> String {
            """
            {
              "application": "lines", "version": \(version), "name": "\(version).0",
              \(version > 1 ? "\"replaces\": \(version - 1)," : "")
              "ports": { "client": [{ "udp": \(port) }, { "unix": "lines.sock", "port": \(port) }] },
              "files": "files-\(version)",
              "start": ["/opt/lines/ports-service", "serve", "\(version)", "\(port)"],
              "health": { "port": \(port), "intervalMilliseconds": 50 },
              "proxy": "/opt/lines/ports-service",
              "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": 300 }
            }

            """
        }

        var path: String { "\(host.directory)/state/sockets/lines/lines.sock" }

        func publish(_ version: Int) async throws {
            try await host.publish(try #require(releases[version]))
            let version = try #require(Version(UInt32(version)))
            try await wait("version \(version) alone") { $0.serves(only: version) }
        }

        func wait(_ what: String, until isReached: (NodeStatus) -> Bool) async throws {
            let deadline = ContinuousClock.now + TestFleet.patience
            var last: NodeStatus?
            while ContinuousClock.now < deadline {
                if let status = await host.status() {
                    if isReached(status) { return }
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
            [try PortClient(on: host.host, datagramsTo: ClientPortTests.port), try PortClient(socket: path)]
        }
    }

    @Test("an upgrade is not noticed by clients on a UDP port and on a Unix socket")
    func upgraded() async throws {
        let setting = try await Setting("ports-upgrade")
        let clients = try setting.clients()
        let loads = clients.map { $0.start() }
        try await setting.publish(2)
        for client in clients { client.finish() }
        for load in loads {
            let numbers = await load.value
            let logs = numbers.failures.isEmpty ? "" : await setting.logs()
            #expect(numbers.failures == [], "\(logs)")
            #expect(numbers.answers["1", default: 0] > 0)
            #expect(Set(numbers.answers.keys).isSubset(of: ["1", "2"]))
        }
        for client in clients { #expect(client.ask() == "2") }
    }

    @Test("after versiond was killed and started again the same sockets serve; when it stops, its socket is gone")
    func restarted() async throws {
        let setting = try await Setting("ports-restart")
        let datagrams = try #require(try setting.clients().first)
        #expect(datagrams.ask() == "1")
        try await setting.host.kill()
        // The dead versiond left it behind.
        #expect(access(setting.path, F_OK) == 0)
        setting.host = try setting.host.restarted()
        try await setting.wait("version 1") { $0.serves(only: 1) && $0.applications.first?.proxy != nil }
        try await setting.publish(2)
        for client in [datagrams] + (try setting.clients()) { #expect(client.ask() == "2") }
        try await setting.host.stop()
        #expect(access(setting.path, F_OK) != 0)
    }
}
