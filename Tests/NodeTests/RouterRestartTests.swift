import ExampleFleet
import Glibc
import Synchronization
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed

/// Goal: what versions say to each other goes on, by each path and both kinds of address, while their routers become
/// others. Method: clients in one host's environment that ask the other host's version without pause.
@Suite("Restarts of routers", .serialized)
struct RouterRestartTests {
    /// Asks by a new connection each time, until it is told to finish; at most five hundred times a second, as each of
    /// them keeps a port for a minute.
    private final class Visitor: Sendable {
        private let isOver = Atomic(false)
        private let answers = Mutex<(count: Int, failures: [String])>((0, []))

        init(in namespace: Int32, to server: Endpoint) {
            SystemThread(name: "visitor") { [self] in
                while !isOver.load(ordering: .relaxed) {
                    let answer = (try? PortClient(in: namespace, .stream, to: server).ask()) ?? "refused"
                    answers.withLock { answers in
                        if answer == "1" { answers.count += 1 } else { answers.failures.append(answer) }
                    }
                    usleep(2000)
                }
                isDone.store(true, ordering: .releasing)
            }.start()
        }

        private let isDone = Atomic(false)
        var answered: Int { answers.withLock { $0.count } }

        func finish() -> [String] {
            isOver.store(true, ordering: .relaxed)
            while !isDone.load(ordering: .acquiring) { sched_yield() }
            return answers.withLock { $0.failures }
        }
    }

    private func restart(_ host: ManagedHost) async throws {
        let result = try await Command.run(
            try Programs.directory() + "/versionctl", ["restart", "--socket", "\(host.directory)/control.sock"])
        guard !result.exit.isSuccess else { return }
        let log = try await Command.run("tail", ["-n", "40", "\(host.directory)/versiond.log"])
        Issue.record("no restart: \(result.output)\n\(log.output)")
    }

    @Test(
        "connections, old ones and new ones, and datagrams between versions go on while both routers restart three times",
        arguments: ["none", "ebpf", "nftables"])
    func goesOn(kernelPath: String) async throws {
        let fleet = try await PeersFleet("routers-\(kernelPath)", kernelPath: kernelPath)
        let inside = try fleet.environment(of: fleet.hosts[0])
        defer { close(inside) }
        let servers = fleet.hosts[1].host.addresses.map {
            Endpoint(address: IPAddress($0)!, port: PeersFleet.port)
        }
        #expect(servers.count == 2)
        // The first ones go by the relay: nothing is known of the peer yet.
        var clients = try servers.map { try PortClient(in: inside, .stream, to: $0) }
        for client in clients { #expect(client.ask() == "1") }
        for server in servers {
            clients.append(try PortClient(in: inside, .stream, to: server))
            clients.append(try PortClient(in: inside, .datagrams, to: server))
        }
        if kernelPath != "none" {
            try await fleet.wait("routes", on: fleet.hosts[0]) { ($0.router.kernel?.routes ?? 0) >= 2 }
            for server in servers { clients.append(try PortClient(in: inside, .stream, to: server)) }
        }
        let loads = clients.map { $0.start(pause: 500) }
        let visitors = servers.map { Visitor(in: inside, to: $0) }
        defer {
            for visitor in visitors { _ = visitor.finish() }
            for client in clients { client.finish() }
        }
        for _ in 1...3 {
            for host in fleet.hosts {
                let before = (clients.map(\.answered), visitors.map(\.answered))
                try await restart(host)
                // All of them, and not only the next one, are answered behind it.
                try await fleet.wait("answers", on: host) { _ in
                    zip(clients.map(\.answered), before.0).allSatisfy { $0 > $1 + 1 }
                        && zip(visitors.map(\.answered), before.1).allSatisfy { $0 > $1 + 1 }
                }
            }
        }
        for visitor in visitors { #expect(visitor.finish() == []) }
        for client in clients { client.finish() }
        for load in loads { #expect(await load.value.failures == []) }
        for host in fleet.hosts {
            let status = try #require(await host.status())
            #expect(status.router.refused["handover-broken"] == nil)
            #expect(status.router.kernel?.failures ?? 0 == 0)
        }
    }
}
