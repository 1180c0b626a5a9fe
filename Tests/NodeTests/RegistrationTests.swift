import ExampleFleet
import FoundationEssentials
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses

/// Method: `versionctl` speaks to the socket that an environment has as its registrar.
@Suite("Registration of ports", .serialized)
struct RegistrationTests {
    private func versionctl(_ arguments: [String], on node: FleetNode) async throws -> Command.Result {
        let socket = "\(node.directory)/state/run/irislog-1/registrar.sock"
        return try await Command.run(try Programs.directory() + "/versionctl", arguments + ["--socket", socket])
    }

    @Test("the boot's registration is listed inside and outside, a version gives ports back and takes them again")
    func conversation() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let inside = try await versionctl(["ports", "irislog", "--json"], on: node)
        let ports = try JSONDecoder().decode([PortStatus].self, from: Data(inside.output.utf8))
        #expect(ports.map(\.port) == [7100])
        #expect(ports.first?.version == 1)
        #expect(ports.first?.endsAt == nil)
        #expect(await node.status()?.applications.first?.ports == ports)
        let outside = try await Command.run(
            try Programs.directory() + "/versionctl", ["ports", "--socket", "\(node.directory)/control.sock"])
        #expect(outside.output.contains("7100  irislog"))
        #expect(outside.output.contains("environment"))

        let back = try await versionctl(["unregister", "7100"], on: node)
        #expect(back.exit.isSuccess, "\(back.output)")
        #expect(await node.status()?.applications.first?.ports == [])
        let none = try await versionctl(["ports", "irislog"], on: node)
        #expect(none.exit == .code(1))
        let twice = try await versionctl(["unregister", "7100"], on: node)
        #expect(twice.exit == .code(1))
        #expect(twice.output.contains("not registered by this version"))

        let named = try await versionctl(["register", "--protocol", "tree", "7100"], on: node)
        #expect(named.exit.isSuccess, "\(named.output)")
        let found = try await versionctl(["ports", "--protocol", "tree", "--transport", "tcp"], on: node)
        #expect(found.output.contains("7100"))
        let other = try await versionctl(["ports", "--protocol", "tree", "--transport", "udp"], on: node)
        #expect(other.exit == .code(1))
    }

    @Test("a lease ends by itself, unless it is renewed")
    func leases() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let short = try await versionctl(["register", "--lease", "1", "7100"], on: node)
        #expect(short.exit.isSuccess, "\(short.output)")
        try await fleet.wait(for: "the end of the lease", on: node) { $0.applications.first?.ports == [] }
        let late = try await versionctl(["renew", "--lease", "600", "7100"], on: node)
        #expect(late.exit == .code(1))
        #expect(late.output.contains("register it"))
        for arguments in [["register", "--lease", "600", "7100"], ["renew", "--lease", "900", "7100"]] {
            let before = await node.status()?.applications.first?.ports.first?.endsAt ?? 0
            let result = try await versionctl(arguments, on: node)
            #expect(result.exit.isSuccess, "\(result.output)")
            let after = await node.status()?.applications.first?.ports.first?.endsAt ?? 0
            #expect(after > before)
        }
    }

    @Test("what a release does not list, odd leases and operators' commands are refused inside")
    func refusals() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let foreign = try await versionctl(["register", "7100/udp"], on: node)
        #expect(foreign.exit == .code(1))
        #expect(foreign.output.contains("not among the peer ports"))
        let odd = try await versionctl(["register", "--lease", "0", "7100"], on: node)
        #expect(odd.exit == .code(1))
        let status = try await versionctl(["status"], on: node)
        #expect(status.exit == .code(1))
        #expect(status.output.contains("nothing else"))
        let wrong = try await versionctl(["register", "--protocol", "Tree", "7100"], on: node)
        #expect(wrong.exit == .code(64))
    }
}
