import CLinux
import Glibc
import Testing
import VersionKitModel
import VersionKitSockets
import VersionKitTestbed

@testable import VersionKitKernel

/// What the fast path counts, forgets and leaves behind.
@Suite("eBPF fast path: life and limits", .serialized)
final class PathLifeTests {
    private let lab: Lab

    init() throws { lab = try Lab() }

    @Test("closing a port ends that version's connections, and no others", arguments: families)
    func closing(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (_, b) = try lab.paths(7000)
        let (first, second) = (try lab.connection(0), try lab.connection(1))
        try b.path.close(DirectPort(10_001, for: 7000, of: lab.b.environments[0].address))
        try first.0.send("there")
        let lost = #expect(throws: (any Error).self) { try first.0.receive(1) }
        #expect("\(lost, default: "")".contains("reset"))
        try TestSocket.exchange(second.0, second.1)
        let late = try lab.a.environments[0].socket(.tcp)
        #expect(throws: (any Error).self) { try late.connect(lab.b.endpoint(7000)) }
    }

    @Test("a port that was closed can be opened for another version", arguments: families)
    func reopening(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (_, b) = try lab.paths(.udp(7000))
        try b.path.close(DirectPort(10_001, for: .udp(7000), of: lab.b.environments[0].address))
        try b.path.close(DirectPort(10_002, for: .udp(7000), of: lab.b.environments[1].address))
        try b.open(10_001, for: .udp(7000), of: 1)
        let server = try lab.b.environments[1].server(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        try client.sendDatagram("there", to: lab.b.endpoint(7000))
        #expect(try server.receiveDatagram().text == "there")
    }

    @Test("a direct port that is open for one version is not opened for another")
    func takenDirectPort() throws {
        let (a, _) = try lab.paths(7000)
        #expect(throws: KernelPathError.self) { try a.open(10_011, for: 7000, of: 1) }
    }

    @Test("a direct port is opened once for each kind of IP, and one link serves both")
    func bothFamilies() throws {
        let (a, b) = try lab.paths(.udp(7000))
        for family in families {
            let lab = self.lab.over(family)
            if family == .v6 {
                let (a, b) = (a.over(.v6), b.over(.v6))
                try a.open(10_011, for: .udp(7000))
                try b.open(10_001, for: .udp(7000))
                try a.route(0, to: lab.b, .udp(7000), 10_001)
            }
            let server = try lab.b.environments[0].server(.udp(7000))
            let client = try lab.a.environments[0].socket(.udp)
            try client.sendDatagram("there", to: lab.b.endpoint(7000))
            #expect(try server.receiveDatagram().text == "there")
        }
        try b.path.close(DirectPort(10_001, for: .udp(7000), of: lab.b.environments[0].address))
        let over6 = lab.over(.v6)
        let server = try over6.b.environments[0].server(.udp(7000))
        try over6.a.environments[0].socket(.udp).sendDatagram("still there", to: over6.b.endpoint(7000))
        #expect(try server.receiveDatagram().text == "still there")
    }

    @Test("a host without an address of a kind, and addresses of one link, have no fast path")
    func missingFamily() throws {
        let node = lab.a
        try inside(node.host.namespace) {
            let path = try BPFPath(host: HostAddresses(node.address), wire: "eth0")
            for version in [node.over(.v6).environments[0].address, IPAddress("fe80::2")!] {
                #expect(throws: KernelPathError.self) {
                    try path.open(DirectPort(10_011, for: 7000, of: version), interface: "vk0")
                }
            }
        }
    }

    @Test("after it was removed everything takes the slow path")
    func removal() throws {
        let (a, b) = try lab.paths(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        let fast = try lab.b.environments[0].server(.udp(7000))
        try client.sendDatagram("fast", to: lab.b.endpoint(7000))
        #expect(try fast.receiveDatagram().text == "fast")
        a.path.remove()
        b.path.remove()
        let slow = try lab.b.server(.udp(7000))
        try client.sendDatagram("slow", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "slow")
        let direct = try lab.b.server(.udp(10_001))
        let stranger = try lab.a.socket(.udp)
        try stranger.sendDatagram("direct", to: lab.b.endpoint(10_001))
        #expect(try direct.receiveDatagram().text == "direct")
        #expect(throws: KernelPathError.self) { try a.path.traffic() }
    }

    @Test("when its process is killed everything takes the slow path")
    func killed() throws {
        let b = try lab.b.path()
        try b.open(10_001, for: .udp(7000))
        let version = lab.a.environments[0]
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let holder = try lab.a.host.spawn(
            Programs.path("kernel-path-holder"),
            [
                "\(lab.a.address)", "eth0", "\(version.address)", version.interface, "\(lab.b.address)", "7000",
                "10011", "10001",
            ], output: .descriptor(ends[1]))
        close(ends[1])
        var line = [UInt8](repeating: 0, count: 100)
        let count = read(ends[0], &line, line.count)
        #expect(String(decoding: line.prefix(max(0, count)), as: UTF8.self) == "holding\n")

        let (fast, slow) = (
            try lab.b.environments[0].server(.udp(7000)), try lab.b.server(.udp(7000))
        )
        let client = try version.socket(.udp)
        try client.sendDatagram("held", to: lab.b.endpoint(7000))
        #expect(try fast.receiveDatagram().text == "held")
        holder.kill()
        _ = try holder.waitBlocking(timeout: .seconds(10))
        try client.sendDatagram("gone", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "gone")
    }

    @Test("packets and bytes are counted by version, peer and port, connections as well", arguments: families)
    func traffic(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, b) = try lab.paths(.udp(7000))
        try a.open(10_021, for: 7000, of: 1)
        try b.open(10_022, for: 7000, of: 1)
        try a.route(1, to: lab.b, 7000, 10_022)
        let server = try lab.b.environments[0].server(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        for _ in 0..<10 {
            try client.sendDatagram([UInt8](repeating: 1, count: 100), to: lab.b.endpoint(7000))
            try server.sendDatagram([UInt8](repeating: 2, count: 50), to: try server.receiveDatagram().from)
            _ = try client.receiveDatagram()
        }
        let (one, other) = try lab.connection(1)
        try TestSocket.exchange(one, other)

        let route = DirectRoute(from: lab.a.environments[0].address, to: lab.b.address, port: .udp(7000))
        let back = DirectRoute(from: lab.b.environments[0].address, to: lab.a.address, port: .udp(7000))
        let there = try a.path.traffic()
        let headers: UInt64 = family == .v4 ? 28 : 48
        let (questions, answers) = (10 * (100 + headers), 10 * (50 + headers))
        #expect(
            there.first { $0.route == route }
                == KernelTraffic(route: route, packetsOut: 10, bytesOut: questions, packetsIn: 10, bytesIn: answers))
        #expect(
            try b.path.traffic().first { $0.route == back }
                == KernelTraffic(route: back, packetsOut: 10, bytesOut: answers, packetsIn: 10, bytesIn: questions))
        let connection = there.first { $0.route.port == 7000 }
        #expect(connection?.connections == 1)
        #expect(connection?.route.version == lab.a.environments[1].address)
        #expect((connection?.packetsOut ?? 0) >= 3)
        #expect(there.count == 2)
    }

    @Test("who says to be another version is not carried as that one", arguments: families)
    func foreignSource(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, _) = try lab.paths(.udp(7000))
        let (victim, thief) = (lab.a.environments[0], lab.a.environments[1])
        let path = "/proc/\(getpid())/fd/\(thief.namespace.number)"
        let address =
            ["--net=\(path)", "ip", "address", "add", "\(victim.address)", "dev", "lo"]
            + (family == .v6 ? ["nodad"] : [])
        #expect(try lab.a.host.run("nsenter", address).exit == .exited(0))
        let slow = try lab.b.server(.udp(7000))
        let client = try thief.socket(.udp)
        try client.bind(0, at: victim.address)
        try client.sendDatagram("me too", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "me too")
        #expect(try a.event(.foreignSource) == 1)
        #expect(try a.path.traffic().isEmpty)
    }

    @Test("when the table of conversations is full, new connections take the slow path", arguments: families)
    func full(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        var sizes = KernelTableSizes()
        sizes.flowsMax = 1
        let (a, _) = try lab.paths(7000, sizes: sizes)
        let first = try lab.connection(0)
        let slow = try lab.b.server(7000)
        let client = try lab.a.environments[0].socket(.tcp)
        try client.connect(lab.b.endpoint(7000))
        try TestSocket.exchange(client, try slow.accept())
        try TestSocket.exchange(first.0, first.1)
        #expect(try a.event(.tableFull) >= 1)
    }

    @Test("what ended is forgotten after a while, what lives is not", arguments: families)
    func ageing(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, b) = try lab.paths(7000)
        let living = try lab.connection(0)
        try TestSocket.exchange(living.0, living.1)
        do {
            let ended = try lab.connection(1)
            try TestSocket.exchange(ended.0, ended.1)
        }
        var clock = timespec()
        clock_gettime(CLOCK_MONOTONIC, &clock)
        let now = UInt32(clock.tv_sec)
        #expect(try a.path.forgetFlows(at: now) == 2)
        // The last packets of what ended may still be on their way, where the processor has much else to do.
        for path in [a.path, b.path] {
            let end = ContinuousClock.now + .seconds(20)
            while try path.forgetFlows(at: now + 3600) != 1, ContinuousClock.now < end { sched_yield() }
            #expect(try path.forgetFlows(at: now + 3600) == 1)
        }
        try TestSocket.exchange(living.0, living.1)
        #expect(try a.path.forgetFlows(at: now + 500_000) == 0)
    }

    @Test("a connection from a port whose last one was reset is a living one", arguments: families)
    func reuseAfterReset(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, b) = try lab.paths(7000)
        let server = try lab.b.environments[0].server(7000)
        do {
            let client = try lab.a.environments[0].socket(.tcp)
            try client.bind(40_000)
            try client.connect(lab.b.endpoint(7000))
            let accepted = try server.accept()
            try TestSocket.exchange(client, accepted)
            // Closed with a reset.
            try accepted.set(SOL_SOCKET, SO_LINGER, bytes: [1, 0, 0, 0, 0, 0, 0, 0])
        }
        let client = try lab.a.environments[0].socket(.tcp)
        try client.bind(40_000)
        try client.connect(lab.b.endpoint(7000))
        let accepted = try server.accept()
        try TestSocket.exchange(client, accepted)
        var clock = timespec()
        clock_gettime(CLOCK_MONOTONIC, &clock)
        for path in [a, b] { #expect(try path.path.forgetFlows(at: UInt32(clock.tv_sec) + 3600) == 1) }
        try TestSocket.exchange(client, accepted)
        #expect(try a.path.traffic().first?.connections == 2)
    }

    @Test(
        "what a version accepts from the relay under the name of a connection that has ended is the relay's",
        arguments: families)
    func relayOfSameName(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        _ = try lab.paths(7000)
        // As where connections are intercepted: what a version sends to the peer's address comes to sockets of the host.
        let script = """
            ip \(family == .v4 ? "" : "-6") rule add iif vk0 lookup 100
            ip \(family == .v4 ? "" : "-6") route add local \(lab.a.address) dev lo table 100
            """
        #expect(try lab.b.host.run("sh", ["-ec", script]).exit == .exited(0))
        let server = try lab.b.environments[0].server(7000)
        let client = try lab.a.environments[0].socket(.tcp)
        try client.bind(40_000)
        try client.connect(lab.b.endpoint(7000))
        do {
            let accepted = try server.accept()
            try TestSocket.exchange(client, accepted)
            // Closed with a reset.
            try accepted.set(SOL_SOCKET, SO_LINGER, bytes: [1, 0, 0, 0, 0, 0, 0, 0])
        }
        #expect(throws: (any Error).self) { try client.receive(1) }

        let relay = try lab.b.socket(.tcp)
        #expect(vk_bind_transparent(relay.number, vk_endpoint(lab.a.address, 40_000)) == 0)
        try relay.connect(Endpoint(address: lab.b.environments[0].address, port: 7000))
        try TestSocket.exchange(relay, try server.accept())
    }

    @Test("a port can be used again at once, by the path that is right then", arguments: families)
    func reuse(family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, _) = try lab.paths(7000)
        let (fast, slow) = (
            try lab.b.environments[0].server(7000), try lab.b.server(7000)
        )
        for server in [fast, slow] {
            let client = try lab.a.environments[0].socket(.tcp)
            try client.bind(40_000)
            try client.connect(lab.b.endpoint(7000))
            let accepted = try server.accept()
            try TestSocket.exchange(client, accepted)
            // A reset leaves nothing to wait for.
            try client.set(SOL_SOCKET, SO_LINGER, bytes: [1, 0, 0, 0, 0, 0, 0, 0])
            try a.route(0, to: lab.b, 7000, nil)
        }
    }
}
