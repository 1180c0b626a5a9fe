import IrisLogCore
import IrisLogNetwork
import IrisLogProtocol1
import IrisLogProtocol2
import NIOCore
import Testing

struct CodecTests {
    @Test("Replies of version 1 are read byte by byte")
    func replies1() throws {
        let replies: [Reply1] = [
            .answer(["a", "", "\u{e4}"]), .answer([]), .database("<x/>"), .fragment("<y>\n</y>"), .done, .pong,
            .error(IrisLogError(.notOwner, "10.0.0.1:7")), .error(IrisLogError(.limit, "")),
        ]
        #expect(try drip(replies.map(\.encoded), through: Reply1Decoder()) == replies)
    }

    @Test("Replies of version 2 are read byte by byte")
    func replies2() throws {
        let replies: [Reply2] = [
            .answer(["a", "", "\u{e4}"]), .peerAnswer([]), .database("<x/>"), .fragment("<y/>"), .done, .pong,
            .merged(70_000), .error(IrisLogError(.query, "no")),
        ]
        let read = try drip(replies.map { $0.frame(id: 9).encoded }, through: Reply2Decoder())
        #expect(read.map(\.reply) == replies)
        #expect(read.allSatisfy { $0.id == 9 })
    }

    @Test("Requests of version 1 survive being written and read byte by byte")
    func requests1() throws {
        let requests: [ClientRequest1] = [
            .query("count(//a)  + 1"), .export, .ping,
            .update(try path(hamburg + "/node[@id='n1']"), try reading(3, "a value with  spaces ")),
        ]
        var decoder = LineDecoder()
        var read: [ClientRequest1] = []
        for byte in requests.flatMap({ ByteBuffer(string: $0.line + "\n").readableBytesView }) {
            decoder.append(ByteBuffer(bytes: [byte]))
            while let line = try decoder.next() { read.append(try ClientRequest1(line: line)) }
        }
        #expect(read == requests)
        let ask = PeerRequest1.ask(hops: 3, xpath: "/country/@id")
        #expect(try PeerRequest1(line: ask.line) == ask)
        let gather = PeerRequest1.gather(hops: 0, path: try path(kiel))
        #expect(try PeerRequest1(line: gather.line) == gather)
    }

    @Test("Requests of version 2 survive being written and read byte by byte")
    func requests2() throws {
        let requests: [ClientRequest2] = [
            .query("count(//a)"), .export, .ping, .merge("<country/>"),
            .update(try path(hamburg + "/node[@id='n1']"), try reading(.max, at: .max, "two\nlines")),
        ]
        var received = ByteBuffer()
        var read: [ClientRequest2] = []
        for byte in requests.flatMap({ Array($0.frame(id: 1).encoded.readableBytesView) }) {
            received.writeInteger(byte)
            while let frame = try Frame.next(&received) { read.append(try ClientRequest2(frame)) }
        }
        #expect(read == requests)
        let gather = PeerRequest2.gather(hops: 8, path: try path(kiel))
        #expect(try PeerRequest2(gather.frame(id: 1)) == gather)
    }

    @Test("A line is refused when it cannot end within the limit")
    func longLine() throws {
        var decoder = LineDecoder()
        decoder.append(ByteBuffer(repeating: 65, count: Limits.lineBytes))
        #expect(try decoder.next() == nil)
        decoder.append(ByteBuffer(repeating: 65, count: 1))
        #expect(throws: IrisLogError(.limit, "line too long")) { _ = try decoder.next() }
    }

    @Test(
        "Lines that are not requests are syntax errors",
        arguments: [
            "", "QUERY", "query /a", "PING now", "UPDATE /country[@id='a'] s 1 2", "UPDATE /country[@id='a'] s -1 2 v",
            "UPDATE /country[@id='a'] s! 1 2 v", "ASK 1 /a", "UPDATE /country[@id='a] s 1 2 v",
        ])
    func badLines(line: String) {
        #expect(throws: IrisLogError.self) { _ = try ClientRequest1(line: line) }
    }

    @Test("Every cut and every changed byte of a frame is refused or read, never a crash")
    func damagedFrames() throws {
        let update = ClientRequest2.update(try path(hamburg + "/node[@id='n1']"), try reading(3, "v")).frame(id: 1)
        let answer = Reply2.answer(["one", "two"]).frame(id: 1)
        for frame in [update, answer] {
            let payload = Array(frame.payload.readableBytesView)
            for index in payload.indices {
                var cut = frame
                cut.payload = ByteBuffer(bytes: payload[..<index])
                #expect(throws: IrisLogError.self) {
                    if frame == update { _ = try ClientRequest2(cut) } else { _ = try Reply2(cut) }
                }
                var changed = payload
                changed[index] = 0xFF
                cut.payload = ByteBuffer(bytes: changed)
                _ = try? ClientRequest2(cut)
                _ = try? Reply2(cut)
            }
        }
        var huge = ByteBuffer(integer: UInt32.max)
        #expect(throws: IrisLogError(.limit, "frame too long")) { _ = try Frame.next(&huge) }
        var short = ByteBuffer(integer: UInt32(4))
        #expect(throws: IrisLogError(.syntax, "frame too short")) { _ = try Frame.next(&short) }
    }

    private func drip<Decoder: ReplyDecoder>(
        _ messages: [ByteBuffer], through decoder: Decoder
    ) throws -> [Decoder.Reply] {
        var decoder = decoder
        var received = ByteBuffer()
        var read: [Decoder.Reply] = []
        for byte in messages.flatMap({ Array($0.readableBytesView) }) {
            received.writeInteger(byte)
            while let reply = try decoder.next(&received) { read.append(reply) }
        }
        return read
    }
}
