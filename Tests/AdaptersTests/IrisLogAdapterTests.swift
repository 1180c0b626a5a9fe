import IrisLogAdapter
import Testing
import VersionKit
import VersionKitTesting

@Suite("IrisLogAdapter")
struct IrisLogAdapterTests {
    private let query = "/country[@id='earth']/region/site/node/current"

    /// A frame of protocol 2.
    private func frame(_ kind: UInt8, _ id: UInt32, _ payload: [UInt8] = []) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(5 + payload.count))
        buffer.writeInteger(kind)
        buffer.writeInteger(id)
        buffer.writeBytes(payload)
        return buffer
    }

    private func string(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }

    private func answer(_ id: UInt32, _ items: [String]) -> ByteBuffer {
        var payload: [UInt8] = [0, 0, 0, UInt8(items.count)]
        for item in items { payload += [0, 0, 0, UInt8(item.utf8.count)] + Array(item.utf8) }
        return frame(0x81, id, payload)
    }

    @Test("an update in protocol 1 goes to both versions, each in its own protocol, and succeeds when both did it")
    func updateFromProtocol1() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1, 2])
        talk.say("UPDATE /a[@id='b'] load 7 99 0.5 x\n")
        #expect(talk.sent(1) == "UPDATE /a[@id='b'] load 7 99 0.5 x\n")
        let numbers: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 99]
        #expect(
            talk.takeSent(to: 2, by: "client")
                == frame(2, 0, string("/a[@id='b']") + string("load") + numbers + string("0.5 x")))
        talk.answer("DONE\n", from: 1)
        #expect(talk.received().isEmpty)
        talk.answer(frame(0x82, 0), from: 2, to: "client")
        #expect(talk.received() == "DONE\n")
    }

    @Test("an update that one version refuses has failed for the client, with the version's reason in its own protocol")
    func refusedUpdate() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1, 2])
        let payload = string("/a") + string("load") + [UInt8](repeating: 1, count: 16) + string("1")
        talk.say(frame(2, 5, payload), as: "client")
        talk.answer(frame(0x82, 5), from: 2, to: "client")
        talk.answer("ERROR not-owner 10.0.0.9\n", from: 1)
        #expect(talk.takeReceived(by: "client") == frame(0xFF, 5, [0, 3] + Array("10.0.0.9".utf8)))
    }

    @Test("a query goes to both versions, and the client gets the longest answer in its own protocol")
    func longestAnswer() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1, 2])
        talk.say(frame(1, 9, Array(query.utf8)), as: "client")
        #expect(talk.sent(1) == "QUERY \(query)\n")
        talk.answer(answer(9, ["<a/>"]), from: 2, to: "client")
        talk.answer("ANSWER 2 10\n<a/>\n<b/>\n", from: 1)
        #expect(talk.takeReceived(by: "client") == answer(9, ["<a/>", "<b/>"]))
        #expect(talk.needed == [1])
    }

    @Test("of equally long answers the client gets the newest version's, untouched if it speaks its protocol")
    func newestAnswer() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1, 2])
        talk.say(frame(1, 9, Array(query.utf8)), as: "client")
        talk.answer("ANSWER 1 13\n<old>1</old>\n", from: 1)
        talk.answer(answer(9, ["<new/>"]), from: 2, to: "client")
        #expect(talk.takeReceived(by: "client") == answer(9, ["<new/>"]))
        #expect(talk.needed.isEmpty)
    }

    @Test("clients of both protocols are served before version 2 exists")
    func beforeTheUpgrade() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1])
        talk.say(frame(5, 3), as: "client")
        #expect(talk.sent(1) == "PING\n")
        talk.answer("PONG\n", from: 1)
        #expect(talk.takeReceived(by: "client") == frame(0x85, 3))
    }

    @Test("what is no request is answered by the proxy, and reaches no version")
    func invalid() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1, 2])
        talk.say("HELLO\n")
        #expect(talk.received() == "ERROR syntax unknown request\n")
        #expect(talk.isSilent)
        talk.say(frame(4, 1, Array("<country/>".utf8)), as: "client")
        #expect(talk.isSilent)
    }

    @Test("a line or a frame over its limit ends the connection")
    func limits() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1])
        talk.say(ByteBuffer(repeating: UInt8(ascii: "Q"), count: 9000), as: "client")
        #expect(talk.isClosed("client"))
        talk = InMemoryProxy(IrisLogAdapter(), versions: [1])
        talk.say(ByteBuffer(bytes: [1, 0, 0, 1, 1]), as: "client")
        #expect(talk.isClosed("client"))
    }

    @Test("fed byte by byte, both protocols are understood the same")
    func dripFed() throws {
        let requests = [ByteBuffer(string: "QUERY \(query)\nUPDATE /a s 1 2 v\n"), frame(1, 1, Array(query.utf8))]
        for request in requests {
            var outcomes: [[ByteBuffer]] = []
            for isDripped in [false, true] {
                let pieces = { (bytes: ByteBuffer) -> [ByteBuffer] in
                    isDripped ? bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) } : [bytes]
                }
                var talk = InMemoryProxy(IrisLogAdapter(), versions: [1, 2])
                for piece in pieces(request) { talk.say(piece, as: "client") }
                let sent = [talk.takeSent(to: 1, by: "client"), talk.takeSent(to: 2, by: "client")]
                let count = String(buffer: sent[0]).split(separator: "\n").count
                for text in ["ANSWER 1 5\n<a/>\n", "DONE\n"].prefix(count) {
                    for piece in pieces(ByteBuffer(string: text)) { talk.answer(piece, from: 1, to: "client") }
                }
                for reply in [answer(0, []), frame(0x82, 0)].prefix(count) {
                    for piece in pieces(reply) { talk.answer(piece, from: 2, to: "client") }
                }
                #expect(talk.isQuiescent("client"))
                outcomes.append(sent + [talk.takeReceived(by: "client")])
            }
            #expect(outcomes[0] == outcomes[1])
            #expect(outcomes[0].allSatisfy { $0.readableBytes > 0 })
        }
    }

    @Test("when version 1 has retired, everybody is served by version 2")
    func afterTheUpgrade() throws {
        var talk = InMemoryProxy(IrisLogAdapter(), versions: [1, 2])
        talk.change([2])
        talk.say("PING\n")
        #expect(talk.takeSent(to: 2, by: "client") == frame(5, 0))
        talk.answer(frame(0x85, 0), from: 2, to: "client")
        #expect(talk.received() == "PONG\n")
        #expect(talk.isSilent)
    }

    @Test("of two equally long answers that of the version that stays is given, also if it is the older one")
    func leaving() throws {
        for (leaving, value) in [(nil, "2"), (2, "1")] as [(Version?, String)] {
            var versions: VersionList = [1, 2]
            versions.leaving = leaving
            var talk = InMemoryProxy(IrisLogAdapter(), versions: versions)
            talk.say("QUERY /a\n")
            _ = talk.takeSent(to: 1, by: "client")
            _ = talk.takeSent(to: 2, by: "client")
            talk.answer("ANSWER 1 2\n1\n", from: 1)
            talk.answer(answer(0, ["2"]), from: 2, to: "client")
            #expect(talk.received() == "ANSWER 1 2\n\(value)\n")
        }
    }
}
