import CLinux
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

@Suite("Traffic to services that are not managed")
struct UnmanagedTrafficTests {
    @Test("it leaves an environment untouched, with the node's address")
    func passes() async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["web"])
        let host = try #require(fleet.testbed["web"])
        let listener = try host.socket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        defer { close(listener) }
        try #require(vk_bind_ipv4(listener, 0, UInt16(9999).bigEndian) == 0)
        try #require(listen(listener, 8) == 0)
        // Version 2 is no IrisLog: it says something to 10.99.200.1:9999 and sleeps.
        try await fleet.nodes[0].publish(fleet.releases.talking2)
        let (first, source) = await onThread("web") { () -> (String, UInt32) in
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else { return ("", 0) }
            defer { close(socket) }
            var address = vk_endpoint()
            _ = vk_peer_address(socket, &address)
            var buffer = [UInt8](repeating: 0, count: 100)
            let count = recv(socket, &buffer, buffer.count, 0)
            return (
                String(decoding: buffer.prefix(max(0, count)), as: UTF8.self),
                UInt32(bigEndian: address.address)
            )
        }
        #expect(first == "hello\n")
        #expect(IPv4Address(number: source).description == fleet.nodes[0].member.address)
        let status = try await fleet.wait(for: "status", on: fleet.nodes[0]) { _ in true }
        #expect(status.router.outbound == 0)
    }
}
