import ExampleFleet
import CLinux
import Glibc
import IrisLogFleet
import NIOCore
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed
import VersionKitUpgrade
import VersionKitWire

@Suite("Peers that misbehave", .serialized)
struct HostilePeerTests {
    private static let peerPort: UInt16 = 7100

    private func exchange(
        _ bytes: [UInt8], from host: TestbedHost, to node: FleetNode, stays: Bool = false
    ) throws -> [UInt8] {
        try Stranger(host: host).exchange(bytes, with: node, stays: stays)
    }

    @Test("headers that are wrong are treated as the wire document says, counted, and nothing crashes")
    func wrongHeaders() async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["stranger"])
        let node = fleet.nodes[0]
        let stranger = try #require(fleet.testbed["stranger"])
        let magic = VersionHeader.magic

        // No router's magic: the bytes are version 1's own, and it answers them.
        let plain = try exchange(Array("ASK 0 1+1\n".utf8), from: stranger, to: node, stays: true)
        #expect(String(decoding: plain, as: UTF8.self).hasPrefix("ANSWER 1"))
        // A beginning of the magic and nothing else is the application's too.
        _ = try exchange(Array(magic.prefix(2)), from: stranger, to: node)
        for bad in [
            magic + [9, 0, 0, 24] + [UInt8](repeating: 0, count: 16),  // unknown format
            magic + [1, 0, 0, 30, 0, 0],  // truncated
            magic + [1, 0, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 64),  // absurdly long
            magic + [1, 0, 0, 3],  // absurdly short
        ] {
            #expect(try exchange(bad, from: stranger, to: node).isEmpty)
        }
        let status = try await fleet.wait(for: "counters", on: node) { $0.router.refused.values.reduce(0, +) >= 4 }
        #expect(status.router.refused["unknown-format"] == 1)
        #expect(status.router.refused["truncated"] == 1)
        #expect(status.router.refused["absurd-length"] == 2)
        #expect(status.router.plain >= 1)
        #expect(status.serves(only: 1))
    }

    @Test("a version that does not run is refused, and its sender hears which one does")
    func unknownVersion() async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["stranger"])
        let application = try #require(ApplicationID(rawValue: "irislog"))
        let header = VersionHeader(application: application, sender: 7).encoded()
        let answer = try exchange(
            Array(header.readableBytesView), from: try #require(fleet.testbed["stranger"]), to: fleet.nodes[0])
        guard case .header(let own, _) = VersionHeader.decode(ByteBuffer(bytes: answer)) else {
            Issue.record("no header came back")
            return
        }
        #expect(own.sender == 1)
    }

    @Test("a release that a stranger advertises but no known publisher signed is never run, and status says why")
    func forgedAdvertisement() async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["stranger"])
        let node = fleet.nodes[0]
        let stranger = try #require(fleet.testbed["stranger"])
        let router = try ForgingRouter(on: stranger, port: Self.peerPort, release: fleet.releases.forged2)
        defer { router.stop() }
        let application = try #require(ApplicationID(rawValue: "irislog"))
        let header = VersionHeader(application: application, sender: 1, advertised: 2).encoded()
        _ = try exchange(Array(header.readableBytesView) + Array("ASK 0 1+1\n".utf8), from: stranger, to: node)
        let status = try await fleet.wait(for: "refusal", on: node) { $0.version(2)?.state == .failed }
        #expect(status.version(2)?.stage == .download)
        #expect(status.version(2)?.reason?.contains("signed by") == true, "\(status.version(2)?.reason ?? "")")
        #expect(status.applications.first?.serving == [1])
    }
}

/// A router that serves a forged release to whoever asks.
private final class ForgingRouter: Sendable {
    private let listener: Int32

    init(on host: TestbedHost, port: UInt16, release: String) throws {
        listener = try host.socket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        try #require(bindSocket(listener, to: Endpoint(address: IPAddress.Family.v4.any, port: port)))
        try #require(listen(listener, 8) == 0)
        let manifest = try Self.read("\(release)/manifest.json")
        let signature = try Self.read("\(release)/manifest.sig")
        let answer = Array("ok \(manifest.count) \(signature.count)\n".utf8) + manifest + signature
        let listener = listener
        SystemThread(name: "forger") {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                if recv(socket, &buffer, buffer.count, 0) > 0 {
                    _ = send(socket, answer, answer.count, Int32(MSG_NOSIGNAL))
                }
                while recv(socket, &buffer, buffer.count, 0) > 0 {}
                close(socket)
            }
        }.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY)
        try #require(file >= 0)
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(file, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }
}
