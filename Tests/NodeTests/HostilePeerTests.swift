import ExampleFleet
import IrisLogFleet
import NIOCore
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitWire

@Suite("Peers that misbehave", .serialized)
struct HostilePeerTests {
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
}
