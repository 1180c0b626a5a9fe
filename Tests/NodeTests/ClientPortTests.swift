import ExampleFleet
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Clients by UDP, on both addresses of a real host, and by a Unix socket. Goal: all reach a service over its upgrade and over a new
/// versiond as TCP clients do. Method: a service whose versions answer with their number.
@Suite("Ports of clients", .serialized)
struct ClientPortTests {
    private static let port: UInt16 = 7300

    /// A host that runs version 1.
    private final class Setting {
        let testbed: Testbed
        var host: ManagedHost
        let releases: [Int: String]

        /// - Parameters:
        ///   - name: a directory in the sandbox's own /run.
        ///   - onlyFirst: ports that version 2 does not declare any more, as in a manifest.
        init(_ name: String, onlyFirst: [String] = []) async throws {
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
                    "lines-\(version)", description: Self.description(version, version == 1 ? onlyFirst : []))
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

        private static func description(_ version: Int, _ others: [String]) -> String {
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
            let addresses = try host.host.addresses.map { try #require(IPAddress($0)) }
            return try addresses.map { address in
                try PortClient(on: host.host, datagramsTo: Endpoint(address: address, port: ClientPortTests.port))
            } + [try PortClient(socket: path)]
        }
    }

    @Test("an upgrade is not noticed by clients on a UDP port, at either address, and on a Unix socket")
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

    @Test("that versiond goes on as another one is not noticed by clients on a UDP port and on a Unix socket")
    func executed() async throws {
        let setting = try await Setting("ports-executed")
        let clients = try setting.clients()
        let loads = clients.map { $0.start() }
        for _ in 1...3 {
            let result = try await Command.run(
                try Programs.directory() + "/versionctl",
                ["restart", "--socket", "\(setting.host.directory)/control.sock"])
            #expect(result.exit.isSuccess, "\(result.output)")
        }
        for client in clients { client.finish() }
        for load in loads {
            let numbers = await load.value
            #expect(numbers.failures == [])
            #expect(numbers.answers["1", default: 0] > 0)
        }
        // The next release's proxy gets the same sockets, and the last versiond removes the file.
        try await setting.publish(2)
        for client in clients { #expect(client.ask() == "2") }
        try await setting.host.stop()
        #expect(access(setting.path, F_OK) != 0)
    }

    @Test("a port that a newer release does not declare any more is closed when the older one has retired")
    func dropped() async throws {
        let setting = try await Setting(
            "ports-dropped", onlyFirst: [#"{ "udp": 7301 }"#, #"{ "unix": "old.sock", "port": 7300 }"#])
        let path = setting.path.replacing("lines.sock", with: "old.sock")
        #expect(try PortClient(socket: path).ask() == "1")
        try await setting.publish(2)
        try await setting.wait("end of a Unix socket") { _ in access(path, F_OK) != 0 }
        #expect(throws: SystemError.self) { try PortClient(socket: path) }
        let text = try #require(setting.host.host.addresses.first)
        let address = try #require(IPAddress(text))
        let datagrams = try PortClient(on: setting.host.host, datagramsTo: Endpoint(address: address, port: 7301))
        try await setting.wait("end of a UDP port") { _ in datagrams.ask().contains("refused") }
        for client in try setting.clients() { #expect(client.ask() == "2") }
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
