import Dispatch
import Foundation
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

@testable import VersionKitKernel

/// The fast path while one process image hands it over to the next.
@Suite("eBPF fast path: handing over", .serialized)
final class PathHandOverTests {
    private let lab: Lab

    init() throws { lab = try Lab() }

    /// Goes on with a fast path as another process image would.
    private func handOver(
        _ old: NodePath, _ change: (inout BPFPath.Handover) throws -> Void = { _ in }
    ) throws -> NodePath {
        let encoder = JSONEncoder()
        encoder.userInfo[InheritedDescriptors.key] = InheritedDescriptors()
        let data = try encoder.encode(try #require(old.path.handOver()))
        var handover = try JSONDecoder().decode(BPFPath.Handover.self, from: data)
        try change(&handover)
        let (node, changed) = (old.node, handover)
        let path = try inside(node.host.namespace) {
            try BPFPath(host: node.addresses, wire: "eth0", resuming: changed)
        }
        let new = NodePath(node, path)
        lab.kept.paths.withLock { $0.append(new) }
        return new
    }

    /// Sends numbers to and fro as fast as they come back, until told to stop. A lost one is an error.
    private final class Conversation: Sendable {
        private let isOver: SharedFlag
        private let rounds = DispatchSemaphore(value: 0)
        private let client: Errand<Void>

        /// - Parameter exchange: sends a text and answers the one that came back.
        init(_ exchange: @escaping @Sendable (String) throws -> String) {
            let (flag, rounds) = (SharedFlag(), self.rounds)
            isOver = flag
            client = Errand {
                var number = 0
                // Whoever waits for rounds shall not wait for ever.
                defer { for _ in 0..<1000 { rounds.signal() } }
                while !flag.isSet.load(ordering: .relaxed) {
                    number += 1
                    guard try exchange("\(number) ") == "\(number) " else { throw KernelPathError("lost: \(number)") }
                    rounds.signal()
                }
            }
        }

        func waitForRounds(_ count: Int) { for _ in 0..<count { rounds.wait() } }

        func finish() throws {
            isOver.isSet.store(true, ordering: .relaxed)
            try client.wait()
        }
    }

    private final class SharedFlag: Sendable {
        let isSet = Atomic(false)
    }

    private func datagrams(_ lab: Lab) throws -> Conversation {
        let server = try lab.b.environments[0].server(.udp(7000))
        let client = try lab.a.environments[0].socket(.udp)
        try client.connect(lab.b.endpoint(7000))
        return Conversation { text in
            try client.send(text)
            let question = try server.receiveDatagram()
            try server.sendDatagram(question.text, to: question.from)
            return try client.receiveDatagram().text
        }
    }

    private func connection(_ lab: Lab) throws -> Conversation {
        let (client, server) = try lab.connection(0)
        return Conversation { text in
            try client.send(text)
            try server.send(try server.receive(text.utf8.count))
            return String(decoding: try client.receive(text.utf8.count), as: UTF8.self)
        }
    }

    /// The program at an interface, by the number that the kernel gave it.
    private func program(_ link: InheritedDescriptor) throws -> String {
        let text = try String(contentsOfFile: "/proc/self/fdinfo/\(link.number)", encoding: .utf8)
        return try #require(text.split(separator: "\n").first { $0.hasPrefix("prog_id") }.map(String.init))
    }

    @Test(
        "connections and datagrams go on while it is handed over, and no packet is lost",
        arguments: [false, true], families)
    func goesOn(otherPrograms: Bool, family: IPAddress.Family) throws {
        let lab = self.lab.over(family)
        let (a, b) = try lab.paths(7000)
        var paths = [a, b]
        try a.open(10_011, for: .udp(7000))
        try b.open(10_001, for: .udp(7000))
        try a.route(0, to: lab.b, .udp(7000), 10_001)
        let conversations = [try connection(lab), try datagrams(lab)]
        for _ in 0..<5 {
            for conversation in conversations { conversation.waitForRounds(20) }
            for index in 0..<2 {
                var link: (descriptor: InheritedDescriptor, program: String)?
                paths[index] = try handOver(paths[index]) { handover in
                    if otherPrograms { handover.programs = "others" }
                    link = (handover.wireLink, try program(handover.wireLink))
                }
                let (descriptor, before) = try #require(link)
                #expect(paths[index].path.hasResumed)
                #expect((try program(descriptor) != before) == otherPrograms)
            }
        }
        for conversation in conversations { conversation.waitForRounds(20) }
        for conversation in conversations { try conversation.finish() }
        for path in paths {
            #expect(try path.path.traffic().contains { $0.connections == 1 })
            #expect(try path.event(.stray) == 0)
        }
    }

    @Test("what was handed over is known afterwards: ports, routes and interfaces, and nothing before")
    func isKnown() throws {
        let (old, _) = try lab.paths(7000)
        let new = try handOver(old)
        #expect(throws: KernelPathError.self) { try old.path.traffic() }
        #expect(old.path.handOver() == nil)
        // As the number is another version's, and the route there already.
        #expect(throws: KernelPathError.self) { try new.open(10_011, for: 7000, of: 1) }
        try new.route(0, to: lab.b, 7000, nil)
        let slow = try lab.b.server(7000)
        let client = try lab.a.environments[0].socket(.tcp)
        try client.connect(lab.b.endpoint(7000))
        try TestSocket.exchange(client, try slow.accept())
        try new.path.close(DirectPort(10_011, for: 7000, of: lab.a.environments[0].address))
        try new.open(10_011, for: .udp(7000), of: 0)
    }

    @Test("where no such fast path is wanted any more everything takes the slow path")
    func discarded() throws {
        let (a, _) = try lab.paths(.udp(7000))
        let handover = try #require(a.path.handOver())
        handover.discard()
        let slow = try lab.b.server(.udp(7000))
        try lab.a.environments[0].socket(.udp).sendDatagram("there", to: lab.b.endpoint(7000))
        #expect(try slow.receiveDatagram().text == "there")
    }

    @Test("with tables of another layout conversations end, and new ones take the same ways as before")
    func otherLayout() throws {
        let (a, b) = try lab.paths(7000)
        let (client, server) = try lab.connection(0)
        try TestSocket.exchange(client, server)
        for path in [a, b] { #expect(try handOver(path) { $0.layout = "another" }.path.hasResumed == false) }
        try client.send("there")
        #expect(throws: (any Error).self) { try client.receive(1) }
        let (another, other) = try lab.connection(0)
        try TestSocket.exchange(another, other)
        #expect(try lab.kept.paths.withLock { $0[2] }.path.traffic().first?.connections == 1)
    }
}
