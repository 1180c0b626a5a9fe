import Foundation
import NIOCore
import Testing
import VersionKitModel
import VersionKitWire

@testable import VersionKitTransport

@Suite("Conversations by datagrams, and how often they may be spoken of")
struct DatagramSessionsTests {
    private func session(_ peer: UInt32, _ port: UInt16 = 1) -> DatagramSession {
        DatagramSession(
            .init(version: IPAddress(v4: 1), peer: IPAddress(v4: peer), versionPort: 7000, peerPort: port),
            owner: (ApplicationID(rawValue: "ring")!, 1), port: 7000, offers: PortOffers(),
            headerBytesMax: 96)
    }

    @Test("the one that was quiet for longest is the next to leave, once there are as many as may be")
    func leastRecentlyUsed() {
        var limits = Limits()
        limits.datagramSessionsMax = 3
        var sessions = DatagramSessions(limits: limits)
        let all = (1...3).map { session($0) }
        for (index, session) in all.enumerated() { sessions.insert(session, at: .seconds(index)) }
        #expect(sessions.nextToLeave === all[0])
        sessions.touch(all[0], at: .seconds(4))
        #expect(sessions.nextToLeave === all[1])
        sessions.remove(all[1])
        #expect(sessions.nextToLeave == nil)
        #expect(sessions.find(all[1].key) == nil)
        #expect(sessions.find(all[2].key) === all[2])
        #expect(sessions.count == 2)
        // Its place is used again.
        sessions.insert(session(9), at: .seconds(5))
        #expect(sessions.all.count == 3)
        #expect(sessions.nextToLeave === all[2])
    }

    @Test("one that is not used for long enough expires, and not before")
    func expiry() {
        var sessions = DatagramSessions(limits: .standard)
        let (first, second) = (session(1), session(2))
        sessions.insert(first, at: .zero)
        sessions.insert(second, at: .zero)
        sessions.touch(first, at: .seconds(100))
        #expect(sessions.expired(at: .seconds(179)) == nil)
        #expect(sessions.expired(at: .seconds(180)) === second)
        sessions.remove(second)
        #expect(sessions.expired(at: .seconds(279)) == nil)
        #expect(sessions.expired(at: .seconds(280)) === first)
        sessions.remove(first)
        #expect(sessions.expired(at: .seconds(1000)) == nil)
    }

    @Test("a peer has room for so many and no more, until some of them end")
    func ofPeer() {
        var limits = Limits()
        limits.datagramSessionsOfPeerMax = 2
        var sessions = DatagramSessions(limits: limits)
        let all = [session(1, 1), session(1, 2)]
        for session in all { sessions.insert(session, at: .zero) }
        #expect(!sessions.hasRoom(for: IPAddress(v4: 1)))
        #expect(sessions.hasRoom(for: IPAddress(v4: 2)))
        sessions.remove(all[0])
        #expect(sessions.hasRoom(for: IPAddress(v4: 1)))
    }

    @Test("the same bytes in front lead to the conversation that they led to last")
    func flows() {
        var sessions = DatagramSessions(limits: .standard)
        let (first, second) = (session(1), session(2))
        sessions.insert(first, at: .zero)
        sessions.insert(second, at: .zero)
        let flow = DatagramSession.Flow(peer: IPAddress(v4: 1), peerPort: 7000, port: 7000, hash: 5)
        sessions.bind(flow, to: first)
        #expect(sessions.find(flow) === first)
        sessions.bind(flow, to: second)
        #expect(sessions.find(flow) === second)
        #expect(first.flow == nil)
        sessions.remove(first)
        #expect(sessions.find(flow) === second)
        sessions.remove(second)
        #expect(sessions.find(flow) == nil)
    }

    @Test("in any order of beginnings, uses and ends the table agrees with a plain list")
    func model() {
        var limits = Limits()
        limits.datagramSessionsMax = 8
        var sessions = DatagramSessions(limits: limits)
        var list: [DatagramSession] = []
        var random = SystemRandomNumberGenerator()
        for step in 0..<5000 {
            let key = session(UInt32.random(in: 1...16, using: &random))
            if let known = sessions.find(key.key) {
                list.removeAll { $0 === known }
                if Bool.random(using: &random) {
                    sessions.touch(known, at: .seconds(step))
                    list.append(known)
                } else {
                    sessions.remove(known)
                }
            } else {
                if let leaving = sessions.nextToLeave {
                    #expect(leaving === list.first)
                    sessions.remove(leaving)
                    list.removeFirst()
                }
                sessions.insert(key, at: .seconds(step))
                list.append(key)
            }
            #expect(sessions.count == list.count)
        }
    }

    @Test("a glance at a header's length agrees with reading it, whatever the bytes are")
    func glance() {
        var header = VersionHeader(application: ApplicationID(rawValue: "ring")!, sender: 1)
        header.datagramPorts = .init(source: 40_000, destination: 7000)
        let good = Array(header.encoded().readableBytesView)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = Array(good.prefix(Int.random(in: 0...good.count, using: &random))) + [1, 2, 3]
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let glance = bytes.withUnsafeBytes { DatagramLoop.headerLength($0, limits: .standard) }
            switch VersionHeader.decodeAtEnd(ByteBuffer(bytes: bytes)) {
            case .header(_, let length): #expect(glance == length)
            case .absent: #expect(glance == 0)
            case .invalid: #expect(glance != 0)
            case .needMore: Issue.record("a datagram has no more to come")
            }
        }
    }

    @Test("so many a second are let through, a tenth of them at one time")
    func rateLimit() {
        var limit = RateLimit(perSecond: 100)
        func taken(at now: Duration) -> Int { (0..<1000).count { _ in limit.take(at: now) } }
        #expect(taken(at: .seconds(5)) == 10)
        #expect(taken(at: .seconds(5)) == 0)
        #expect(taken(at: .seconds(5) + .milliseconds(9)) == 0)
        #expect(taken(at: .seconds(5) + .milliseconds(50)) == 5)
        #expect(taken(at: .seconds(60)) == 10)
        #expect((0..<1000).count { limit.take(at: .seconds(100) + .milliseconds($0)) } == 109)
    }

    @Test("a message of a closed port is the packet that a host would have sent")
    func unreachable() {
        let message = UnreachableMessage(
            reason: .tooLong, pathBytesMax: 1273,
            reporter: IPAddress("10.0.0.1")!, source: Endpoint("10.0.0.2:4660")!,
            destination: Endpoint("10.0.0.3:7000")!)
        let packet = [UInt8](repeating: 0xAB, count: 600).withUnsafeBytes { message.packet(quoting: $0, length: 1300) }
        #expect(packet.count == 20 + 8 + 28 + UnreachableMessage.quoteBytesMax)
        #expect(UnreachableMessage.checksum(packet[..<20]) == 0)
        #expect(UnreachableMessage.checksum(packet[20...]) == 0)
        #expect(Array(packet[12..<20]) == [10, 0, 0, 1, 10, 0, 0, 2])
        #expect(Array(packet[20..<22]) == [3, 4])
        #expect(Array(packet[26..<28]) == [0x04, 0xF9])
        let quoted = packet[28...]
        #expect(UnreachableMessage.checksum(quoted.prefix(20)) == 0)
        #expect(Array(quoted.dropFirst(12).prefix(12)) == [10, 0, 0, 2, 10, 0, 0, 3, 0x12, 0x34, 0x1B, 0x58])
    }

    @Test("the same message for IPv6 counts the addresses around it")
    func unreachableV6() {
        let message = UnreachableMessage(
            reason: .tooLong, pathBytesMax: 1281, reporter: IPAddress("2001:db8::1")!,
            source: Endpoint("[2001:db8::2]:4660")!, destination: Endpoint("[2001:db8::3]:7000")!)
        let packet = [UInt8](repeating: 0xAB, count: 601).withUnsafeBytes { message.packet(quoting: $0, length: 1301) }
        let length = 8 + 40 + 8 + UnreachableMessage.quoteBytesMax
        #expect(packet.count == 40 + length)
        #expect(Array(packet[..<8]) == [0x60, 0, 0, 0, UInt8(length >> 8), UInt8(length & 0xFF), 58, 64])
        let around = Array(packet[8..<40]) + [0, 0, packet[4], packet[5], 0, 0, 0, 58]
        #expect(UnreachableMessage.checksum((around + packet[40...])[...]) == 0)
        #expect(Array(packet[40..<42]) == [2, 0])
        #expect(Array(packet[44..<48]) == [0, 0, 0x05, 0x01])
        #expect(Array(packet[52..<56]) == [0x05, 0x1D, 17, 64])
        #expect(Array(packet[86..<92]) == [0, 3, 0x12, 0x34, 0x1B, 0x58])
    }

    @Test("each reason has the same meaning in the messages of both kinds of IP", arguments: Undelivered.allCases)
    func reasons(_ reason: Undelivered) {
        for family in IPAddress.Family.allCases {
            let (type, code) = reason.icmp(family)
            #expect(Undelivered(icmpType: type, code: code, family: family) == reason)
        }
        #expect(Undelivered(icmpType: 11, code: 0, family: .v4) == nil)
        #expect(Undelivered(icmpType: 3, code: 0, family: .v6) == nil)
    }

    @Test("one that is handed over is a line of text, and what is none is refused")
    func states() throws {
        let session = session(0x0A00_0007, 40_000)
        session.lastUsed = .seconds(3)
        session.isAnswered = true
        let line = try JSONEncoder().encode(session.state(at: .seconds(5)))
        #expect(
            String(decoding: line, as: UTF8.self) == "\"0.0.0.1:7000 10.0.0.7:40000 ring 1 7000 true false -1 -1 2000\""
        )
        let state = try JSONDecoder().decode(DatagramSession.State.self, from: line)
        #expect(state.key == session.key)
        #expect(state.version == 1)
        #expect(state.isAnswered && !state.isAnsweredPlainly)
        #expect(state.delivery == nil && state.departure == nil)
        #expect(state.unusedMilliseconds == 2000)
        for text in ["\"\"", "\"0.0.0.1:7000 10.0.0.7:40000 ring 0 7000 true false -1 -1 2000\"", "1"] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(DatagramSession.State.self, from: Data(text.utf8))
            }
        }
    }
}
