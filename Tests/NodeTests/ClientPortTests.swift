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
    @Test("an upgrade is not noticed by clients on a UDP port, at either address, and on a Unix socket")
    func upgraded() async throws {
        let setting = try await LinesHost("ports-upgrade")
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
        let setting = try await LinesHost("ports-executed")
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
        let setting = try await LinesHost(
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
        let setting = try await LinesHost("ports-restart")
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
