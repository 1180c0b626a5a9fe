import IrisLogAdapter
import Testing
import VersionKit

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
        var talk = Talk([1, 2])
        try talk.client(ByteBuffer(string: "UPDATE /a[@id='b'] load 7 99 0.5 x\n"))
        #expect(talk.sent[1].map { String(buffer: $0) } == "UPDATE /a[@id='b'] load 7 99 0.5 x\n")
        let numbers: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 99]
        #expect(talk.sent[2] == frame(2, 0, string("/a[@id='b']") + string("load") + numbers + string("0.5 x")))
        try talk.version(1, ByteBuffer(string: "DONE\n"))
        #expect(talk.received.readableBytes == 0)
        try talk.version(2, frame(0x82, 0))
        #expect(String(buffer: talk.received) == "DONE\n")
    }

    @Test("an update that one version refuses has failed for the client, with the version's reason in its own protocol")
    func refusedUpdate() throws {
        var talk = Talk([1, 2])
        let payload = string("/a") + string("load") + [UInt8](repeating: 1, count: 16) + string("1")
        try talk.client(frame(2, 5, payload))
        try talk.version(2, frame(0x82, 5))
        try talk.version(1, ByteBuffer(string: "ERROR not-owner 10.0.0.9\n"))
        #expect(talk.received == frame(0xFF, 5, [0, 3] + Array("10.0.0.9".utf8)))
    }

    @Test("a query goes to both versions, and the client gets the longest answer in its own protocol")
    func longestAnswer() throws {
        var talk = Talk([1, 2])
        try talk.client(frame(1, 9, Array(query.utf8)))
        #expect(talk.sent[1].map { String(buffer: $0) } == "QUERY \(query)\n")
        try talk.version(2, answer(9, ["<a/>"]))
        try talk.version(1, ByteBuffer(string: "ANSWER 2 10\n<a/>\n<b/>\n"))
        #expect(talk.received == answer(9, ["<a/>", "<b/>"]))
        #expect(talk.needed == [1])
    }

    @Test("of equally long answers the client gets the newest version's, untouched if it speaks its protocol")
    func newestAnswer() throws {
        var talk = Talk([1, 2])
        try talk.client(frame(1, 9, Array(query.utf8)))
        try talk.version(1, ByteBuffer(string: "ANSWER 1 13\n<old>1</old>\n"))
        try talk.version(2, answer(9, ["<new/>"]))
        #expect(talk.received == answer(9, ["<new/>"]))
        #expect(talk.needed.isEmpty)
    }

    @Test("clients of both protocols are served before version 2 exists")
    func beforeTheUpgrade() throws {
        var talk = Talk([1])
        try talk.client(frame(5, 3))
        #expect(talk.sent[1].map { String(buffer: $0) } == "PING\n")
        try talk.version(1, ByteBuffer(string: "PONG\n"))
        #expect(talk.received == frame(0x85, 3))
    }

    @Test("what is no request is answered by the proxy, and reaches no version")
    func invalid() throws {
        var talk = Talk([1, 2])
        try talk.client(ByteBuffer(string: "HELLO\n"))
        #expect(String(buffer: talk.received) == "ERROR syntax unknown request\n")
        #expect(talk.sent.isEmpty)
        try talk.client(frame(4, 1, Array("<country/>".utf8)))
        #expect(talk.sent.isEmpty)
    }

    @Test("a line or a frame over its limit ends the connection")
    func limits() throws {
        var talk = Talk([1])
        try talk.client(ByteBuffer(repeating: UInt8(ascii: "Q"), count: 9000))
        #expect(talk.closed?.side == .client)
        talk = Talk([1])
        try talk.client(ByteBuffer(bytes: [1, 0, 0, 1, 1]))
        #expect(talk.closed?.side == .client)
    }

    @Test("fed byte by byte, both protocols are understood the same")
    func dripFed() throws {
        let requests = [ByteBuffer(string: "QUERY \(query)\nUPDATE /a s 1 2 v\n"), frame(1, 1, Array(query.utf8))]
        for request in requests {
            var whole = Talk([1, 2])
            try whole.client(request)
            var dripped = Talk([1, 2])
            for byte in request.readableBytesView { try dripped.client(ByteBuffer(bytes: [byte])) }
            #expect(dripped.sent == whole.sent)
            for reply in ["ANSWER 1 5\n<a/>\n", "DONE\n"] where whole.proxy.isAwaiting(1) {
                try whole.version(1, ByteBuffer(string: reply))
                for byte in reply.utf8 { try dripped.version(1, ByteBuffer(bytes: [byte])) }
            }
            for reply in [answer(0, []), frame(0x82, 0)] where whole.proxy.isAwaiting(2) {
                try whole.version(2, reply)
                for byte in reply.readableBytesView { try dripped.version(2, ByteBuffer(bytes: [byte])) }
            }
            #expect(whole.proxy.isQuiescent)
            #expect(dripped.received == whole.received)
        }
    }
}

/// One client's conversation through the adapter, without sockets.
private struct Talk {
    var proxy = MessageProxy(IrisLogAdapter())
    let versions: VersionList
    private var unread = PeekBuffer()
    private var replies: [Version: PeekBuffer] = [:]
    private(set) var sent: [Version: ByteBuffer] = [:]
    private(set) var received = ByteBuffer()
    private(set) var closed: ProxyError?
    private(set) var needed: [Version] = []

    init(_ versions: VersionList) { self.versions = versions }

    mutating func client(_ bytes: ByteBuffer) throws(ProxyError) {
        unread.append(bytes)
        var used = 1
        while used > 0, unread.count > 0 {
            unread.resetPeek()
            var handler = ConnectionHandler(versions: versions)
            used = try proxy.handleRequest(from: nil, &unread, &handler)
            unread.consume(used)
            perform(&handler)
        }
    }

    mutating func version(_ version: Version, _ bytes: ByteBuffer) throws(ProxyError) {
        var reply = replies[version] ?? PeekBuffer()
        reply.append(bytes)
        var used = 1
        while used > 0, reply.count > 0 {
            reply.resetPeek()
            var handler = ConnectionHandler(versions: versions)
            used = try proxy.handleReply(from: version, &reply, &handler)
            reply.consume(used)
            perform(&handler)
        }
        replies[version] = reply
    }

    private mutating func perform(_ handler: inout ConnectionHandler) {
        for action in handler.takeActions() {
            switch action {
            case .send(var bytes, let version): sent[version, default: ByteBuffer()].writeBuffer(&bytes)
            case .reply(var bytes): received.writeBuffer(&bytes)
            case .needed(let version): needed.append(version)
            case .order(let number, _):
                var next = ConnectionHandler(versions: versions)
                proxy.ordered(number, &next)
                perform(&next)
            case .closeClient(let error): closed = error
            case .sendShared, .answered, .answeredRun, .orderRun, .finish, .catchUp, .drop, .diverged: break
            }
        }
    }
}
