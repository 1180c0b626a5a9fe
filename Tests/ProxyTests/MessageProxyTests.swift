import Testing
import VersionKitModel
import VersionKitProxy

@Suite("MessageProxy")
struct MessageProxyTests {
    @Test("a read that misses or fails on the newest version is sent to the next older one")
    func newestFirst() throws {
        for first in ["?", "!"] {
            var talk = Conversation([1, 2])
            try talk.say("2n\n")
            #expect(talk.sent == [2: "2n\n"])
            try talk.reply("2\(first)\n", from: 2)
            #expect(talk.sent[1] == "1n\n")
            #expect(talk.received.isEmpty)
            try talk.reply("1old\n", from: 1)
            #expect(talk.received == "2old\n")
            #expect(talk.needed == [1])
        }
    }

    @Test("a read that the newest version answers goes nowhere else")
    func newestAnswers() throws {
        var talk = Conversation([1, 2])
        try talk.say("1n\n")
        try talk.reply("2new\n", from: 2)
        #expect(talk.received == "1new\n")
        #expect(talk.sent[1] == nil)
        #expect(talk.needed.isEmpty)
    }

    @Test("a write goes to every version and succeeds if and only if it does on all")
    func all() throws {
        var talk = Conversation([1, 2])
        try talk.say("1a\n1a\n")
        #expect(talk.sent == [1: "1a\n1a\n", 2: "2a\n2a\n"])
        try talk.reply("1ok\n1ok\n", from: 1)
        #expect(talk.received.isEmpty)
        try talk.reply("2ok\n2!no\n", from: 2)
        #expect(talk.received == "1ok\n1!no\n")
        #expect(talk.failed == 1)
    }

    @Test("of several good answers the adapter picks one; an older version chosen over a newer one is needed")
    func choose() throws {
        var talk = Conversation([1, 2])
        try talk.say("1c\n1c\n")
        try talk.reply("1long\n1ab\n", from: 1)
        try talk.reply("2x\n2ab\n", from: 2)
        #expect(talk.received == "1long\n1ab\n")
        #expect(talk.needed == [1])
    }

    @Test("one version alone is asked where the adapter says so, and the proxy answers by itself where it says so")
    func onlyAndAnswer() throws {
        var talk = Conversation([1, 2])
        try talk.say("2o\n2p\n")
        #expect(talk.sent == [1: "1o\n"])
        try talk.reply("1yes\n", from: 1)
        #expect(talk.received == "2yes\n2proxy\n")
    }

    @Test("replies come in the order of requests, whatever the order in which versions answer")
    func order() throws {
        var talk = Conversation([1, 2])
        try talk.say("1o\n1n\n1p\n")
        try talk.reply("2second\n", from: 2)
        #expect(talk.received.isEmpty)
        try talk.reply("1first\n", from: 1)
        #expect(talk.received == "1first\n1second\n1proxy\n")
    }

    @Test("a version that gets writes only is not read from")
    func writesOnly() throws {
        var versions: VersionList = [1, 2]
        versions.insert(1, role: .writesOnly)
        var talk = Conversation(versions)
        try talk.say("2c\n2n\n2a\n")
        #expect(talk.sent == [1: "1a\n", 2: "2c\n2n\n2a\n"])
    }

    @Test("a version that retires with a request outstanding does not decide it any more")
    func retires() throws {
        var talk = Conversation([1, 2])
        try talk.say("2a\n2c\n")
        try talk.reply("2ok\n2x\n", from: 2)
        #expect(talk.received.isEmpty)
        talk.change([2])
        #expect(talk.received == "2ok\n2x\n")
        #expect(talk.failed == 0)
        #expect(talk.proxy.isQuiescent)
    }

    @Test("a lost version makes writes fail, and nothing is sent twice")
    func lost() throws {
        var talk = Conversation([1, 2])
        try talk.say("2a\n2n\n")
        try talk.reply("1ok\n", from: 1)
        talk.lose(2)
        #expect(talk.received == "2!no-version\n")
        #expect(talk.sent == [1: "1a\n1n\n", 2: "2a\n2n\n"])
        try talk.reply("1old\n", from: 1)
        #expect(talk.received == "2!no-version\n2old\n")
    }

    @Test("with no version at all the client is told")
    func none() throws {
        var talk = Conversation([])
        try talk.say("1c\n")
        #expect(talk.received == "1!no-version\n")
        #expect(talk.failed == 1)
    }

    @Test("bytes that nobody asked for are an error of the version")
    func unsolicited() throws {
        var talk = Conversation([1])
        #expect(throws: ProxyError.self) { try talk.reply("1hello\n", from: 1) }
    }

    @Test("bytes of no protocol end the connection, by the client's fault, after the replies that are still to come")
    func malformed() throws {
        var talk = Conversation([1])
        try talk.say("1nA\nxyz\n")
        #expect(talk.closed == nil)
        try talk.reply("1a\n", from: 1)
        #expect(talk.received == "1a\n")
        #expect(talk.closed?.side == .client)
    }

    @Test("no more requests are taken than may be under way, and they go on when replies leave")
    func pipelining() throws {
        var limits = Limits.standard
        limits.pipelinedRequestsMax = 2
        var talk = Conversation([1], limits: limits)
        try talk.say("1c\n1c\n1c\n")
        #expect(talk.sent[1] == "1c\n1c\n")
        try talk.reply("1x\n", from: 1)
        #expect(talk.sent[1] == "1c\n1c\n1c\n")
    }

    @Test("fed byte by byte in both directions, a conversation is the same")
    func dripFed() throws {
        var whole = Conversation([1, 2])
        try whole.say("1a\n2c\n1n\n")
        try whole.reply("1ok\n1long\n", from: 1)
        try whole.reply("2ok\n2x\n2?\n", from: 2)
        try whole.reply("1old\n", from: 1)

        var dripped = Conversation([1, 2])
        for byte in "1a\n2c\n1n\n" { try dripped.say(String(byte)) }
        for byte in "1ok\n1long\n" { try dripped.reply(String(byte), from: 1) }
        for byte in "2ok\n2x\n2?\n" { try dripped.reply(String(byte), from: 2) }
        for byte in "1old\n" { try dripped.reply(String(byte), from: 1) }

        #expect(dripped.sent == whole.sent)
        #expect(dripped.received == whole.received)
        #expect(whole.received == "1ok\n2long\n1old\n")
    }

    @Test("a version is awaited exactly as long as it owes a reply")
    func awaiting() throws {
        var talk = Conversation([1, 2])
        #expect(!talk.proxy.isAwaiting(1))
        try talk.say("1a\n")
        #expect(talk.proxy.isAwaiting(1) && talk.proxy.isAwaiting(2))
        try talk.reply("1ok\n", from: 1)
        #expect(!talk.proxy.isAwaiting(1) && talk.proxy.isAwaiting(2))
        #expect(!talk.proxy.isQuiescent)
        try talk.reply("2ok\n", from: 2)
        #expect(talk.proxy.isQuiescent)
    }
}
