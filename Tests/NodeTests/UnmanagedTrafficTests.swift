import CLinux
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed

@Suite("Traffic to services that are not managed")
struct UnmanagedTrafficTests {
    @Test("it leaves an environment untouched, with the node's address")
    func passes() async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["web"])
        let host = try #require(fleet.testbed["web"])
        let listener = try host.socket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        defer { close(listener) }
        try #require(bindSocket(listener, to: Endpoint(address: IPAddress.Family.v4.any, port: 9999)))
        try #require(listen(listener, 8) == 0)
        // Version 2 is no IrisLog: it says something to 10.99.200.1:9999 and sleeps.
        try await fleet.nodes[0].publish(fleet.releases.talking2)
        let (first, source) = await onThread("web") { () -> (String, String?) in
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else { return ("", nil) }
            defer { close(socket) }
            var buffer = [UInt8](repeating: 0, count: 100)
            let count = recv(socket, &buffer, buffer.count, 0)
            return (
                String(decoding: buffer.prefix(max(0, count)), as: UTF8.self),
                remoteEndpoint(of: socket)?.address.description
            )
        }
        #expect(first == "hello\n")
        #expect(source == fleet.nodes[0].member.address)
        let status = try await fleet.wait(for: "status", on: fleet.nodes[0]) { _ in true }
        #expect(status.router.outbound == 0)
    }
}
