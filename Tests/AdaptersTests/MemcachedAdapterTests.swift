import MemcachedAdapter
import Testing
import VersionKit
import VersionKitTesting

@Suite("MemcachedAdapter")
struct MemcachedAdapterTests {
    /// A conversation at second 1000.
    private func talk(_ versions: VersionList) -> InMemoryProxy<MemcachedAdapter> {
        var talk = InMemoryProxy(MemcachedAdapter(), versions: versions)
        talk.milliseconds = 1_000_999
        return talk
    }

    @Test("a read asks the newest version, and the older one if that has nothing")
    func read() throws {
        var talk = self.talk([1, 2])
        talk.say("get a b\r\n")
        #expect(talk.sent(2) == "get a b\r\n")
        #expect(talk.isSilent)
        talk.answer("END\r\n", from: 2)
        #expect(talk.sent(1) == "get a b\r\n")
        talk.answer("VALUE a 0 5\r\nEND\r\n\r\nEND\r\n", from: 1)
        #expect(talk.received() == "VALUE a 0 5\r\nEND\r\n\r\nEND\r\n")
    }

    @Test("a write goes to both versions, and a time that is relative is made absolute for both")
    func write() throws {
        var talk = self.talk([1, 2])
        talk.say("set a 7 60 3\r\nx\r\n\r\n")
        for version in [1, 2] as [Version] { #expect(talk.sent(version) == "set a 7 1060 3\r\nx\r\n\r\n") }
        talk.answer("STORED\r\n", from: 1)
        #expect(talk.received().isEmpty)
        talk.answer("STORED\r\n", from: 2)
        #expect(talk.received() == "STORED\r\n")
    }

    @Test("what a quick look says of a request, parsing and dispatching it say, too")
    func glances() throws {
        let requests = [
            "get k", "get a b", "gets k", "get", "set k 0 0 1\r\nx", "set k 5 0 0\r\n", "set k 0 60 1\r\nx",
            "set k 0 00 1\r\nx", "set k 0 0 1 noreply\r\nx", "set k 0 0 2\r\nx", "set k x 0 1\r\nx", "set k 0 0 -1",
            "set k 0 0 9999999", "add k 0 0 1\r\nx", "delete k", "delete k 0", "delete k noreply", "incr k 1",
            "incr k x", "incr k noreply", "decr k 99999999999999999999", "touch k 0", "flush_all", "quit", "mg k v",
            "get  k", " get k", "GET k", "version", "verbosity 1", String(repeating: "g", count: 400),
            "get " + String(repeating: "k", count: 250), "get " + String(repeating: "k", count: 251), "\u{80}",
        ]
        try FramingCheck(MemcachedAdapter()).glances(
            requests.map { ByteBuffer(string: $0 + "\r\n") } + [ByteBuffer(string: "get k\n")], from: 1, seed: 1,
            rounds: 20_000)
        let replies = [
            "END", "VALUE k 0 1\r\nx\r\nEND", "STORED", "NOT_STORED", "NOT_FOUND", "DELETED", "5", "ERROR",
            "SERVER_ERROR out of memory", "CLIENT_ERROR x", "VALUE k 0 -1", "BUSY x",
        ]
        let answered = replies.map {
            (request: ByteBuffer(string: "get k\r\n"), reply: ByteBuffer(string: $0 + "\r\n"))
        }
        try FramingCheck(MemcachedAdapter()).glancedReplies(answered, from: 1)
        try FramingCheck(MemcachedAdapter()).damagedReplies(answered, from: 1, seed: 1, rounds: 20_000)
    }

    @Test("times that mean the same at any time go as they are", arguments: ["0", "-1", "2592001", "1795249982"])
    func absoluteTimes(time: String) throws {
        var talk = self.talk([1, 2])
        talk.say("touch a \(time)\r\n")
        #expect(talk.sent(1) == "touch a \(time)\r\n")
    }

    @Test("one version alone gets the client's own bytes")
    func alone() throws {
        var talk = self.talk([1])
        talk.say("set  a 0 60 1\r\nx\r\n")
        #expect(talk.sent(1) == "set  a 0 60 1\r\nx\r\n")
    }

    @Test("a write that versions answer differently is healed by copying its key from the newest one")
    func heal() throws {
        var talk = self.talk([1, 2])
        talk.say("add a 0 0 1\r\nx\r\n")
        talk.answer("STORED\r\n", from: 1)
        talk.answer("NOT_STORED\r\n", from: 2)
        #expect(talk.received() == "NOT_STORED\r\n")
        #expect(talk.missed == [1: [MissedWrite(.key(ByteBuffer(string: "a")), .copy)]])
    }

    @Test("noreply said twice is still not said to a version, which would not answer")
    func noreplyTwice() throws {
        var talk = self.talk([1])
        talk.say("delete b noreply noreply\r\n")
        #expect(talk.sent(1) == "delete b\r\n")
    }

    @Test("with noreply the versions are asked for replies, and the client gets none")
    func noreply() throws {
        var talk = self.talk([1, 2])
        talk.say("set a 0 0 1 noreply\r\nx\r\ndelete b noreply\r\nversion\r\n")
        #expect(talk.sent(1) == "set a 0 0 1\r\nx\r\ndelete b\r\n")
        for version in [1, 2] as [Version] { talk.answer("STORED\r\nNOT_FOUND\r\n", from: version) }
        #expect(talk.received().isEmpty)
        talk.answer("VERSION 1.6.18\r\n", from: 2)
        #expect(talk.received() == "VERSION 1.6.18\r\n")
    }

    @Test("unique numbers are the newest version's: it alone is asked, and what it did is copied")
    func checkAndSet() throws {
        var talk = self.talk([1, 2])
        talk.say("gets a\r\n")
        talk.answer("VALUE a 0 1 77\r\nx\r\nEND\r\n", from: 2)
        talk.say("cas a 0 0 1 77\r\ny\r\n")
        #expect(talk.sent(2) == "gets a\r\ncas a 0 0 1 77\r\ny\r\n")
        #expect(talk.isSilent)
        talk.answer("STORED\r\n", from: 2)
        #expect(talk.received().hasSuffix("STORED\r\n"))
        #expect(talk.missed == [1: [MissedWrite(.key(ByteBuffer(string: "a")), .copy)]])
    }

    @Test(
        "what the protocol does not know is an error, and the connection goes on",
        arguments: ["hello", "", "lru_crawler metadump all", "shutdown"])
    func unknown(line: String) throws {
        var talk = self.talk([1, 2])
        talk.say(line + "\r\n")
        #expect(talk.received() == "ERROR\r\n")
        #expect(talk.isSilent && !talk.isClosed("client"))
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
        var talk = self.talk([1, 2])
        talk.say(request)
        #expect(talk.received() == words)
        #expect(talk.isClosed("client"))
    }

    @Test("a client that quits gets what it asked for before, and nothing more", arguments: [[1], [1, 2]])
    func quit(_ versions: [Version]) throws {
        var talk = self.talk(VersionList(versions))
        talk.say("get a\r\nquit\r\nget b\r\n")
        #expect(talk.received().isEmpty && !talk.isClosed("client"))
        let newest = versions[versions.count - 1]
        #expect(talk.sent(newest) == "get a\r\n")
        talk.answer("VALUE a 0 1\r\nx\r\nEND\r\n", from: newest)
        #expect(talk.received() == "VALUE a 0 1\r\nx\r\nEND\r\n")
        #expect(talk.isClosed("client"))
        talk.say("get b\r\n")
        #expect(talk.received().isEmpty && talk.isSilent)
        #expect(talk.answered.failed == 0)
    }

    @Test("the binary protocol is refused at its first byte")
    func binary() throws {
        var talk = self.talk([1])
        talk.say(ByteBuffer(bytes: [0x80]), as: "client")
        #expect(talk.received() == "CLIENT_ERROR no binary protocol here\r\n")
    }

    @Test("fed byte by byte, requests and replies are understood the same")
    func dripFed() throws {
        let requests = "set a 0 9 3\r\na\r\n\r\nget a\r\nstats\r\nincr n 1\r\ngat 5 a\r\n"
        let replies: [Version: String] = [
            1: "STORED\r\n8\r\nVALUE a 0 3\r\na\r\n\r\nEND\r\n",
            2: "STORED\r\nVALUE a 0 3\r\na\r\n\r\nEND\r\nSTAT pid 1\r\nEND\r\n8\r\nVALUE a 0 3\r\na\r\n\r\nEND\r\n",
        ]
        let sent = [
            1: "set a 0 1009 3\r\na\r\n\r\nincr n 1\r\ngat 1005 a\r\n",
            2: "set a 0 1009 3\r\na\r\n\r\nget a\r\nstats\r\nincr n 1\r\ngat 1005 a\r\n",
        ]
        for pieces in [[requests], requests.unicodeScalars.map { String($0) }] {
            var talk = self.talk([1, 2])
            for piece in pieces { talk.say(piece) }
            for version in [1, 2] as [Version] { #expect(talk.sent(version) == sent[Int(version.number)]) }
            for (version, text) in replies {
                let count = pieces.count == 1 ? 1 : text.unicodeScalars.count
                let parts = count == 1 ? [text] : text.unicodeScalars.map { String($0) }
                for part in parts { talk.answer(part, from: version) }
            }
            #expect(talk.isQuiescent("client"))
            #expect(talk.received().hasPrefix("STORED\r\nVALUE a 0 3\r\n"))
        }
    }
}
