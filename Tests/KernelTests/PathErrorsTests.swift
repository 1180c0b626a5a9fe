import CLinux
import Glibc
import Testing
import VersionKitModel
import VersionKitSockets
import VersionKitTestbed

@testable import VersionKitKernel

/// What the fast path leaves alone, and how a version hears of what did not arrive.
@Suite("eBPF fast path: errors", .serialized)
final class PathErrorsTests {
    private let lab: Lab

    init() throws { lab = try Lab() }

    @Test("fragments and IP options are left to the slow path", arguments: families)
    func leftAlone(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, _) = try lab.paths(.udp(7000))
        let fast = try lab.b.environments[0].server(.udp(7000))
        let slow = try lab.b.server(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        try client.sendDatagram("small", to: lab.b.endpoint(7000))
        #expect(try fast.receiveDatagram().text == "small")
        try client.sendDatagram([UInt8](repeating: 65, count: 4000), to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text.utf8.count == 4000)
        #expect(try a.event(.fragment) >= 2)
        if family == .v4 {
            // Four times "no operation".
            try client.set(Int32(IPPROTO_IP), IP_OPTIONS, bytes: [1, 1, 1, 1])
        } else {
            // Padding of six bytes.
            try client.set(Int32(IPPROTO_IPV6), IPV6_HOPOPTS, bytes: [0, 0, 1, 4, 0, 0, 0, 0])
        }
        try client.sendDatagram("options", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "options")
        #expect(try a.event(.options) == 1)
    }

    @Test("a closed port of the peer's version is reported to the sender", arguments: families)
    func unreachable(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, b) = try lab.paths(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        try client.connect(lab.b.endpoint(7000))
        try client.send("anybody?")
        let refused = #expect(throws: (any Error).self) { try client.receive(1) }
        #expect("\(refused, default: "")".contains("refused"))
        #expect(try a.event(.errorTranslated) == 1)
        #expect(try b.event(.errorTranslated) == 1)
    }

    @Test("a router that wants smaller packets is heard by the version that sent them", arguments: families)
    func smallerPackets(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, _) = try lab.paths(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        try client.connect(lab.b.endpoint(7000))
        if family == .v4 {
            try client.set(Int32(IPPROTO_IP), 11, 1)  // IP_RECVERR
            try client.set(Int32(IPPROTO_IP), 10, 2)  // IP_MTU_DISCOVER: do not fragment
        } else {
            try client.set(Int32(IPPROTO_IPV6), 25, 1)  // IPV6_RECVERR
            try client.set(Int32(IPPROTO_IPV6), 62, 1)  // IPV6_DONTFRAG
        }
        let server = try lab.b.environments[0].server(.udp(7000))
        try client.send([UInt8](repeating: 1, count: 1300))
        _ = try server.receiveDatagram()
        // The error that a router on the way would send, about that datagram as it went over the wire.
        let router = try TestSocket(
            vk_socket_in(
                lab.b.host.namespace, family.system, Int32(SOCK_RAW.rawValue),
                Int32(family == .v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)), family)
        let error = ICMPMessage.tooBig(
            from: lab.a.endpoint(try client.localPort()), to: lab.b.endpoint(10_001), bytes: 1300, mtu: 1290)
        try router.sendDatagram(error, to: lab.a.endpoint(0))
        let tooLong = #expect(throws: (any Error).self) { try client.receive(1) }
        #expect("\(tooLong, default: "")".contains("Message too long"))
        #expect(throws: (any Error).self) { try client.send([UInt8](repeating: 1, count: 1300)) }
        try client.send([UInt8](repeating: 1, count: 900))
        #expect(try server.receiveDatagram().text.utf8.count == 900)
        #expect(try a.event(.errorTranslated) == 1)
    }

    @Test("a packet whose time to live ends is reported to the sender by its host", arguments: families)
    func expired(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, _) = try lab.paths(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        try client.connect(lab.b.endpoint(7000))
        if family == .v4 {
            try client.set(Int32(IPPROTO_IP), 11, 1)  // IP_RECVERR
            try client.set(Int32(IPPROTO_IP), IP_TTL, 1)
        } else {
            try client.set(Int32(IPPROTO_IPV6), 25, 1)  // IPV6_RECVERR
            try client.set(Int32(IPPROTO_IPV6), IPV6_UNICAST_HOPS, 1)
        }
        try client.send("short-lived")
        let expired = #expect(throws: (any Error).self) { try client.receive(1) }
        #expect("\(expired, default: "")".contains("No route to host"))
        #expect(try a.event(.expired) == 1)
    }
}
