import Glibc
import Testing
import VersionKitModel
import VersionKitTestbed

@testable import VersionKitKernel

/// The fast path in a real kernel: who gets what, from whom.
@Suite("eBPF fast path", .serialized)
struct PathTests {
    let lab: Lab
    let a: NodePath
    let b: NodePath

    init() throws {
        lab = try Lab()
        a = try lab.a.path()
        b = try lab.b.path()
    }

    /// Versions 0 of both hosts can reach each other's port by the fast path, and so can versions 1.
    private func connect(_ a: NodePath, _ b: NodePath, _ port: TransportPort) throws {
        try a.open(10_011, for: port)
        try b.open(10_001, for: port)
        for slot in 0..<2 { try a.route(slot, to: b.node, port, 10_001 + UInt16(slot)) }
    }

    /// The hosts and their fast paths over one kind of IP.
    private func over(_ family: IPAddress.Family) -> (Lab, NodePath, NodePath) {
        (lab.over(family), a.over(family), b.over(family))
    }

    @Test("the kernel here has what it takes")
    func probe() throws {
        #expect(try inside(lab.a.host.namespace) { BPFPath.probe() } == nil)
    }

    @Test("without the right to use BPF the probe says that there can be no fast path")
    func probeWithoutRights() throws {
        let result = try lab.a.host.run(
            "setpriv",
            [
                "--bounding-set=-bpf,-sys_admin", Programs.path("kernel-path-holder"), "10.99.0.1", "eth0", "10.77.1.2",
                "vk0", "10.99.0.2", "7000", "10011", "10001",
            ], timeout: .seconds(20))
        #expect(result.exit == .exited(EXIT_FAILURE))
        #expect(result.output.hasPrefix("unsupported: "))
        #expect(result.output.contains("not permitted"))
    }

    @Test("an interface that is missing, or has no Ethernet header, is refused")
    func wrongInterface() throws {
        let addresses = lab.a.addresses
        func error(_ wire: String) throws -> KernelPathError? {
            try inside(lab.a.host.namespace) {
                do throws(KernelPathError) { _ = try BPFPath(host: addresses, wire: wire) } catch { return error }
                return nil
            }
        }
        #expect(try error("eth9")?.isUnsupported == false)
        #expect(try error("lo")?.isUnsupported == true)
    }

    @Test(
        "a connection goes to the right version, and each end sees the other's host and the port it knows",
        arguments: families)
    func connections(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        try connect(a, b, .tcp(7000))
        for slot in 0..<2 {
            let server = try lab.b.environments[slot].server(.tcp(7000))
            let client = try lab.a.environments[slot].socket(.tcp)
            try client.connect(lab.b.endpoint(7000))
            let accepted = try server.accept()
            #expect(try client.peer() == lab.b.endpoint(7000))
            #expect(try accepted.peer() == lab.a.endpoint(try client.localPort()))
            // Enough for packets of many segments, both ways.
            let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ slot) }
            for (sender, receiver) in [(client, accepted), (accepted, client)] {
                let sending = Errand { try sender.send(bytes) }
                #expect(try receiver.receive(bytes.count) == bytes)
                try sending.wait()
            }
        }
    }

    @Test("a datagram goes to the right version, and so does its answer", arguments: families)
    func datagrams(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        try connect(a, b, .udp(7000))
        for slot in 0..<2 {
            let server = try lab.b.environments[slot].server(.udp(7000))
            let client = try lab.a.environments[slot].socket(.udp)
            try client.sendDatagram("question", to: lab.b.endpoint(7000))
            let question = try server.receiveDatagram()
            #expect(question.text == "question")
            #expect(question.from == lab.a.endpoint(try client.localPort()))
            try server.sendDatagram("answer", to: question.from)
            let answer = try client.receiveDatagram()
            #expect(answer.text == "answer")
            #expect(answer.from == lab.b.endpoint(7000))
        }
    }

    @Test("a connection stays on the path on which it began", arguments: families)
    func connectionsStay(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        try a.open(10_011, for: 7000)
        try b.open(10_001, for: 7000)
        let slow = try lab.b.server(7000)
        let fast = try lab.b.environments[0].server(7000)

        let begunSlow = try lab.a.environments[0].socket(.tcp)
        try begunSlow.connect(lab.b.endpoint(7000))
        let atHost = try slow.accept()
        try a.route(0, to: lab.b, 7000, 10_001)
        try TestSocket.exchange(begunSlow, atHost)

        let begunFast = try lab.a.environments[0].socket(.tcp)
        try begunFast.connect(lab.b.endpoint(7000))
        let atVersion = try fast.accept()
        try a.route(0, to: lab.b, 7000, nil)
        try TestSocket.exchange(begunFast, atVersion)
        try TestSocket.exchange(begunSlow, atHost)

        let afterwards = try lab.a.environments[0].socket(.tcp)
        try afterwards.connect(lab.b.endpoint(7000))
        try TestSocket.exchange(afterwards, try slow.accept())
    }

    @Test("datagrams move to the fast path and back at once, and none is lost", arguments: families)
    func datagramsMove(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        try a.open(10_011, for: .udp(7000))
        try b.open(10_001, for: .udp(7000))
        let slow = try lab.b.server(.udp(7000))
        let fast = try lab.b.environments[0].server(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        try client.connect(lab.b.endpoint(7000))
        for number in 0..<300 {
            if number == 100 { try a.route(0, to: lab.b, .udp(7000), 10_001) }
            if number == 200 { try a.route(0, to: lab.b, .udp(7000), nil) }
            try client.send("\(number)")
            let server = (100..<200).contains(number) ? fast : slow
            let question = try server.receiveDatagram()
            #expect(question.text == "\(number)")
            try server.sendDatagram("answer \(number)", to: question.from)
            // A connected socket takes only what comes from the address that it sent to.
            #expect(try client.receiveDatagram().text == "answer \(number)")
        }
    }

    @Test(
        "peers that use one port for everything see each other's registered port", arguments: [true, false], families)
    func onePort(isTCP: Bool, family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        let port: TransportPort = isTCP ? .tcp(7000) : .udp(7000)
        try route(port, a, b)
        let (one, other) = (lab.a.environments[0], lab.b.environments[0])
        if isTCP {
            let server = try other.server(port)
            let client = try one.socket(.tcp)
            try client.bind(7000)
            try client.connect(lab.b.endpoint(7000))
            let accepted = try server.accept()
            #expect(try accepted.peer() == lab.a.endpoint(7000))
            try TestSocket.exchange(client, accepted)
        } else {
            let (first, second) = (try one.server(port), try other.server(port))
            // Each begins by itself: neither is an answer.
            for _ in 0..<2 {
                try first.sendDatagram("there", to: lab.b.endpoint(7000))
                try second.sendDatagram("back", to: lab.a.endpoint(7000))
                #expect(try second.receiveDatagram().from == lab.a.endpoint(7000))
                #expect(try first.receiveDatagram().from == lab.b.endpoint(7000))
            }
        }
    }

    /// Routes both ways between the first environments.
    private func route(_ port: TransportPort, _ a: NodePath, _ b: NodePath) throws {
        try a.open(10_011, for: port, of: 0)
        try b.open(10_001, for: port, of: 0)
        try a.route(0, to: b.node, port, 10_001)
        try b.route(0, to: a.node, port, 10_011)
    }

    @Test("a peer's fast datagrams do not keep a version's own ones on a path that was forgotten", arguments: families)
    func oneSided(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        let port = TransportPort.udp(7000)
        try route(port, a, b)
        let (first, second) = (try lab.a.environments[0].server(port), try lab.b.environments[0].server(port))
        let slow = try lab.b.server(port)
        try second.sendDatagram("fast", to: lab.a.endpoint(7000))
        #expect(try first.receiveDatagram().from == lab.b.endpoint(7000))
        try first.sendDatagram("fast", to: lab.b.endpoint(7000))
        #expect(try second.receiveDatagram().text == "fast")
        try a.route(0, to: lab.b, port, nil)
        try second.sendDatagram("still fast", to: lab.a.endpoint(7000))
        #expect(try first.receiveDatagram().from == lab.b.endpoint(7000))
        try first.sendDatagram("slow", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "slow")
    }

    @Test("whoever begins by a route of its own is known by its name while the route to it rests", arguments: families)
    func resting(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        let port = TransportPort.udp(7000)
        try route(port, a, b)
        let toB = DirectRoute(from: lab.a.environments[0].address, to: lab.b.address, port: port)
        try a.path.rest(toB)
        let (first, second) = (try lab.a.environments[0].server(port), try lab.b.environments[0].server(port))
        let slow = try lab.b.server(port)
        try first.sendDatagram("slow", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "slow")
        try second.sendDatagram("fast", to: lab.a.endpoint(7000))
        #expect(try first.receiveDatagram().from == lab.b.endpoint(7000))
        try a.path.learn(toB, to: 10_001)
        try first.sendDatagram("fast", to: lab.b.endpoint(7000))
        #expect(try second.receiveDatagram().text == "fast")
        try a.path.rest(toB)
        try a.path.forget(toB)
        try first.sendDatagram("slow again", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "slow again")
    }

    @Test(
        "a peer's direct port that is not known yet shows, and no longer once the route back is learnt",
        arguments: families)
    func lateRouteBack(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        try a.open(10_011, for: .udp(7000), of: 0)
        try b.open(10_001, for: .udp(7000), of: 0)
        try a.route(0, to: lab.b, .udp(7000), 10_001)
        let first = try lab.a.environments[0].server(.udp(7000))
        let second = try lab.b.environments[0].server(.udp(7000))
        try first.sendDatagram("early", to: lab.b.endpoint(7000))
        let early = try second.receiveDatagram()
        #expect(early.from == lab.a.endpoint(10_011))
        try second.sendDatagram("answer", to: early.from)
        #expect(try first.receiveDatagram().from == lab.b.endpoint(7000))
        try b.route(0, to: lab.a, .udp(7000), 10_011)
        try first.sendDatagram("late", to: lab.b.endpoint(7000))
        #expect(try second.receiveDatagram().from == lab.a.endpoint(7000))
    }

    @Test(
        "a source port that another version has towards the same port falls back to the slow path", arguments: families)
    func takenPort(family: IPAddress.Family) throws {
        let (lab, a, b) = over(family)
        try a.open(10_011, for: 7000)
        try b.open(10_001, for: 7000)
        for slot in 0..<2 { try a.route(slot, to: lab.b, 7000, 10_001) }
        let slow = try lab.b.server(7000)
        let fast = try lab.b.environments[0].server(7000)
        for (slot, server) in [(0, fast), (1, slow)] {
            let client = try lab.a.environments[slot].socket(.tcp)
            try client.bind(40_000)
            try client.connect(lab.b.endpoint(7000))
            try TestSocket.exchange(client, try server.accept())
        }
        #expect(try a.event(.portTaken) >= 1)
    }
}
