import MemcachedAdapter
import Testing
import VersionKit

@Suite("MemcachedAdapter")
struct MemcachedAdapterTests {
    @Test("a read asks the newest version, and the older one if that has nothing")
    func read() throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client("get a b\r\n")
        #expect(talk.sent == [2: "get a b\r\n"])
        try talk.version(2, "END\r\n")
        #expect(talk.sent[1] == "get a b\r\n")
        try talk.version(1, "VALUE a 0 5\r\nEND\r\n\r\nEND\r\n")
        #expect(talk.received == "VALUE a 0 5\r\nEND\r\n\r\nEND\r\n")
    }

    @Test("a write goes to both versions, and a time that is relative is made absolute for both")
    func write() throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client("set a 7 60 3\r\nx\r\n\r\n")
        #expect(talk.sent == [1: "set a 7 1060 3\r\nx\r\n\r\n", 2: "set a 7 1060 3\r\nx\r\n\r\n"])
        try talk.version(1, "STORED\r\n")
        #expect(talk.received.isEmpty)
        try talk.version(2, "STORED\r\n")
        #expect(talk.received == "STORED\r\n")
    }

    @Test("times that mean the same at any time go as they are", arguments: ["0", "-1", "2592001", "1795249982"])
    func absoluteTimes(time: String) throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client("touch a \(time)\r\n")
        #expect(talk.sent[1] == "touch a \(time)\r\n")
    }

    @Test("one version alone gets the client's own bytes")
    func alone() throws {
        var talk = MemcachedTalk([1])
        try talk.client("set  a 0 60 1\r\nx\r\n")
        #expect(talk.sent == [1: "set  a 0 60 1\r\nx\r\n"])
    }

    @Test("a write that versions answer differently is healed by copying its key from the newest one")
    func heal() throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client("add a 0 0 1\r\nx\r\n")
        try talk.version(1, "STORED\r\n")
        try talk.version(2, "NOT_STORED\r\n")
        #expect(talk.received == "NOT_STORED\r\n")
        #expect(talk.copied == [1: ["a"]])
    }

    @Test("noreply said twice is still not said to a version, which would not answer")
    func noreplyTwice() throws {
        var talk = MemcachedTalk([1])
        try talk.client("delete b noreply noreply\r\n")
        #expect(talk.sent == [1: "delete b\r\n"])
    }

    @Test("with noreply the versions are asked for replies, and the client gets none")
    func noreply() throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client("set a 0 0 1 noreply\r\nx\r\ndelete b noreply\r\nversion\r\n")
        #expect(talk.sent[1] == "set a 0 0 1\r\nx\r\ndelete b\r\n")
        for version in [1, 2] as [Version] { try talk.version(version, "STORED\r\nNOT_FOUND\r\n") }
        #expect(talk.received.isEmpty)
        try talk.version(2, "VERSION 1.6.18\r\n")
        #expect(talk.received == "VERSION 1.6.18\r\n")
    }

    @Test("unique numbers are the newest version's: it alone is asked, and what it did is copied")
    func checkAndSet() throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client("gets a\r\n")
        try talk.version(2, "VALUE a 0 1 77\r\nx\r\nEND\r\n")
        try talk.client("cas a 0 0 1 77\r\ny\r\n")
        #expect(talk.sent == [2: "gets a\r\ncas a 0 0 1 77\r\ny\r\n"])
        try talk.version(2, "STORED\r\n")
        #expect(talk.received.hasSuffix("STORED\r\n"))
        #expect(talk.copied == [1: ["a"]])
    }

    @Test(
        "what the protocol does not know is an error, and the connection goes on",
        arguments: ["hello", "", "lru_crawler metadump all", "shutdown"])
    func unknown(line: String) throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client(line + "\r\n")
        #expect(talk.received == "ERROR\r\n")
        #expect(talk.sent.isEmpty && !talk.isClosed)
    }

    @Test(
        "what leaves unclear where the next request begins ends the connection with a reason",
        arguments: [
            ("set a 0 0\r\n", "CLIENT_ERROR bad command line format\r\n"),
            ("set a 0 0 many\r\n", "CLIENT_ERROR bad command line format\r\n"),
            ("get \(String(repeating: "k", count: 251))\r\n", "CLIENT_ERROR bad command line format\r\n"),
            ("set a 0 0 1\r\nxyz\r\n", "CLIENT_ERROR bad data chunk\r\n"),
            ("set a 0 0 1048577\r\n", "CLIENT_ERROR object too large for cache\r\n"),
            ("set a 0 0 -1\r\n", "CLIENT_ERROR object too large for cache\r\n"),
            ("mg a v\r\n", "CLIENT_ERROR no meta commands here\r\n"),
            ("\u{1}\r\nquit\r\n", "ERROR\r\n"),
            (String(repeating: "k", count: 70_000), "CLIENT_ERROR bad command line format\r\n"),
        ])
    func malformed(request: String, words: String) throws {
        var talk = MemcachedTalk([1, 2])
        try talk.client(request)
        #expect(talk.received == words)
        #expect(talk.isClosed)
    }

    @Test("the binary protocol is refused at its first byte")
    func binary() throws {
        var talk = MemcachedTalk([1])
        try talk.client(bytes: ByteBuffer(bytes: [0x80]))
        #expect(talk.received == "CLIENT_ERROR no binary protocol here\r\n")
    }

    @Test("fed byte by byte, requests and replies are understood the same")
    func dripFed() throws {
        let requests = "set a 0 9 3\r\na\r\n\r\nget a\r\nstats\r\nincr n 1\r\ngat 5 a\r\n"
        let replies: [Version: String] = [
            1: "STORED\r\n8\r\nVALUE a 0 3\r\na\r\n\r\nEND\r\n",
            2: "STORED\r\nVALUE a 0 3\r\na\r\n\r\nEND\r\nSTAT pid 1\r\nEND\r\n8\r\nVALUE a 0 3\r\na\r\n\r\nEND\r\n",
        ]
        var whole = MemcachedTalk([1, 2])
        try whole.client(requests)
        for (version, text) in replies { try whole.version(version, text) }
        var dripped = MemcachedTalk([1, 2])
        for byte in requests.utf8 { try dripped.client(bytes: ByteBuffer(bytes: [byte])) }
        for (version, text) in replies {
            for byte in text.utf8 { try dripped.version(version, bytes: ByteBuffer(bytes: [byte])) }
        }
        #expect(dripped.sent == whole.sent)
        #expect(dripped.received == whole.received)
        #expect(dripped.proxy.isQuiescent && whole.proxy.isQuiescent)
        #expect(whole.received.hasPrefix("STORED\r\nVALUE a 0 3\r\n"))
    }
}

/// One client's conversation through the adapter, without sockets, at second 1000.
private struct MemcachedTalk {
    var proxy = MessageProxy(MemcachedAdapter())
    let versions: VersionList
    private var unread = PeekBuffer()
    private var replies: [Version: PeekBuffer] = [:]
    private(set) var sent: [Version: String] = [:]
    private(set) var received = ""
    private(set) var copied: [Version: [String]] = [:]
    private(set) var isClosed = false

    init(_ versions: VersionList) { self.versions = versions }

    mutating func client(_ text: String) throws(ProxyError) { try client(bytes: ByteBuffer(string: text)) }

    mutating func client(bytes: ByteBuffer) throws(ProxyError) {
        unread.append(bytes)
        var used = 1
        while used > 0, unread.count > 0 {
            unread.resetPeek()
            var handler = ConnectionHandler(versions: versions, milliseconds: 1_000_999)
            used = try proxy.handleRequest(from: nil, &unread, &handler)
            unread.consume(used)
            perform(&handler)
        }
    }

    mutating func version(_ version: Version, _ text: String) throws(ProxyError) {
        try self.version(version, bytes: ByteBuffer(string: text))
    }

    mutating func version(_ version: Version, bytes: ByteBuffer) throws(ProxyError) {
        var reply = replies[version] ?? PeekBuffer()
        reply.append(bytes)
        var used = 1
        while used > 0, reply.count > 0 {
            reply.resetPeek()
            var handler = ConnectionHandler(versions: versions, milliseconds: 1_000_999)
            used = try proxy.handleReply(from: version, &reply, &handler)
            reply.consume(used)
            perform(&handler)
        }
        replies[version] = reply
    }

    private mutating func perform(_ handler: inout ConnectionHandler) {
        for action in handler.takeActions() {
            switch action {
            case .send(let bytes, let version): sent[version, default: ""] += String(buffer: bytes)
            case .reply(let bytes): received += String(buffer: bytes)
            case .catchUp(let write, let version):
                copied[version, default: []] += (write.keys.names ?? []).map { String(buffer: $0) }
            case .order(let number, _):
                // Nobody else writes here.
                var next = ConnectionHandler(versions: versions, milliseconds: 1_000_999)
                proxy.ordered(number, &next)
                perform(&next)
            case .closeClient: isClosed = true
            default: break
            }
        }
    }
}
