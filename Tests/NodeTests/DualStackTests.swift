import CLinux
import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed

@Suite("Nodes with IPv6", .serialized)
struct DualStackTests {
    /// Whether something on a host is reached from another one, or from itself.
    private func isReached(_ address: String, _ port: UInt16, from host: TestbedHost) throws -> Bool {
        let endpoint = Endpoint(address: try #require(IPAddress(address)), port: port)
        let socket = try host.socket(domain: endpoint.address.family.system, type: Int32(SOCK_STREAM.rawValue))
        defer { close(socket) }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return connectSocket(socket, to: endpoint)
    }

    @Test("clients reach a node and the node its versions by addresses of both kinds")
    func bothKinds() async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["client"], addressing: .both)
        let node = fleet.nodes[0]
        let client = try #require(fleet.testbed["client"])
        let status = try #require(await node.status())
        let version = try #require(status.version(1)?.addresses)
        #expect(version.description == "10.77.0.2, fd00:564b::2")
        for address in version.all { #expect(try isReached("\(address)", Fleet.clientPort, from: node.host)) }
        for address in node.member.addresses { #expect(try isReached(address, Fleet.clientPort, from: client)) }
        let advertisements = try node.host.run("cat", ["/proc/sys/net/ipv6/conf/vk0/accept_ra"])
        #expect(advertisements.output == "0\n")
    }

    @Test("a node with IPv6 alone upgrades while its clients use it")
    func alone() async throws {
        let fleet = try await TestFleet(hosts: 1, addressing: .v6)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.version2)
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        #expect(status.addresses.all == [IPAddress("fd00:99::1:1")])
        #expect(status.version(2)?.addresses?[.v4] == nil)
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("a node without IPv6 makes none for its environments, and says why a flow to an IPv6 peer goes nowhere")
    func without() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let inside = try node.host.run("ip", ["-6", "address", "show", "dev", "vk0", "scope", "global"])
        #expect(inside.output == "")
        let arguments = ["explain", "flow", "irislog", "1", "[2001:db8::1]", "7100"]
        let versionctl = try Programs.directory() + "/versionctl"
        let said = try await Command.run(versionctl, arguments + ["--socket", "\(node.directory)/control.sock"])
        #expect(said.output.contains("2001:db8::1 port 7100: nowhere: this node has no IPv6 address"), "\(said.output)")
    }
}
