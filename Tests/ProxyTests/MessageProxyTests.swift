import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting
import VersionKitWire

@Suite("MessageProxy")
struct MessageProxyTests {
    @Test("a read that misses or fails on the newest version is sent to the next older one", arguments: ["?", "!"])
    func newestFirst(first: String) throws {
        try play(
            #"""
            versions 1 2
            client > 2n\n
            2 < 2n\n
            1 <
            2 > 2\#(first)\n
            1 < 1n\n
            client <
            1 > 1old\n
            client < 2old\n
            needed 1
            """#)
    }

    @Test("a read that the newest version answers goes nowhere else")
    func newestAnswers() throws {
        try play(
            #"""
            versions 1 2
            client > 1n\n
            2 < 2n\n
            2 > 2new\n
            client < 1new\n
            1 <
            """#)
    }

    @Test("of misses and failures only, the client gets what a version said")
    func noneIsGood() throws {
        try play(
            #"""
            versions 1 2
            client > 2n\n
            2 < 2n\n
            2 > 2?here\n
            1 < 1n\n
            1 lost
            client < 2?here\n
            """#)
    }

    @Test("a write goes to every version and succeeds if and only if it does on all")
    func all() throws {
        try play(
            #"""
            versions 1 2
            client > 1a\n1a\n
            1 < 1a\n1a\n
            2 < 2a\n2a\n
            1 > 1ok\n1ok\n
            client <
            2 > 2ok\n2!no\n
            client < 1ok\n1!no\n
            failed 1
            diverged 2
            """#)
    }

    @Test("of several good answers the adapter picks one; an older version chosen over a newer one is needed")
    func choose() throws {
        try play(
            #"""
            versions 1 2
            client > 1c\n1c\n
            1 < 1c\n1c\n
            2 < 2c\n2c\n
            1 > 1long\n1ab\n
            2 > 2x\n2ab\n
            client < 1long\n1ab\n
            needed 1
            """#)
    }

    @Test("one version alone is asked where the adapter says so, and the proxy answers by itself where it says so")
    func onlyAndAnswer() throws {
        try play(
            #"""
            versions 1 2
            client > 2o\n2p\n
            1 < 1o\n
            1 > 1yes\n
            client < 2yes\n2proxy\n
            """#)
    }

    @Test("replies come in the order of requests, whatever the order in which versions answer")
    func order() throws {
        try play(
            #"""
            versions 1 2
            client > 1o\n1n\n1p\n
            1 < 1o\n
            2 < 2n\n
            2 > 2second\n
            client <
            1 > 1first\n
            client < 1first\n1second\n1proxy\n
            """#)
    }

    @Test(
        "a version that gets writes only, or is being filled, is not read from", arguments: ["writes-only", "filling"])
    func writesOnly(role: String) throws {
        try play(
            #"""
            versions 1(\#(role)) 2
            client > 2c\n2n\n2a\n
            1 < 1a\n
            2 < 2c\n2n\n2a\n
            """#)
    }

    @Test("a version that retires with a request outstanding does not decide it any more")
    func retires() throws {
        try play(
            #"""
            versions 1 2
            client > 2a\n2c\n
            1 < 1a\n1c\n
            2 < 2a\n2c\n
            2 > 2ok\n2x\n
            client <
            versions 2
            client < 2ok\n2x\n
            failed 0
            """#)
    }

    @Test("a lost version makes writes fail where all have to succeed, and nothing is sent twice")
    func lost() throws {
        try play(
            #"""
            versions 1 2
            client > 2a\n2n\n
            1 < 1a\n
            2 < 2a\n2n\n
            1 > 1ok\n
            2 lost
            client < 2!fate-unknown\n
            1 < 1n\n
            1 > 1old\n
            client < 2old\n
            """#)
    }

    @Test("with no version at all the client is told")
    func none() throws {
        try play(
            #"""
            client > 1c\n
            client < 1!no-version\n
            failed 1
            """#)
    }

    @Test("bytes that nobody asked for end the version's connection")
    func unsolicited() throws {
        try play(
            #"""
            versions 1 2
            client > 2n\n
            2 < 2n\n
            2 > 2a\n2b\n
            client < 2a\n
            2 closed
            client > 2n\n
            2 < 2n\n
            """#)
        var proxy = MessageProxy(ToyAdapter())
        var handler = ConnectionHandler(versions: [1])
        var bytes = PeekBuffer(ByteBuffer(string: "1hello\n"))
        do throws(ProxyError) {
            _ = try proxy.handleReply(from: 1, &bytes, &handler)
            Issue.record("nobody asked for this")
        } catch {
            #expect(error.side == .version)
        }
    }

    @Test("bytes of no protocol are refused, after the replies that are still to come")
    func malformed() throws {
        try play(
            #"""
            versions 1
            client > 1c\nxyz\n1c\n
            1 < 1c\n
            1 > 1ok\n
            client < 1ok\nbye\n
            client closed
            """#)
    }

    @Test("no more requests are taken than may be under way, and they go on when replies leave")
    func pipelining() throws {
        var limits = Limits.standard
        limits.pipelinedRequestsMax = 2
        try play(
            #"""
            versions 1
            client > 1c\n1c\n1c\n
            1 < 1c\n1c\n
            1 <
            1 > 1x\n
            1 < 1c\n
            client < 1x\n
            """#, limits: limits)
    }

    @Test("a version is awaited exactly as long as it owes a reply")
    func awaiting() throws {
        var proxy = MessageProxy(ToyAdapter())
        var handler = ConnectionHandler(versions: [1, 2])
        var bytes = PeekBuffer(ByteBuffer(string: "1a\n"))
        #expect(!proxy.isAwaiting(1))
        let used = try proxy.handleRequest(from: nil, &bytes, &handler)
        #expect(used == 3)
        #expect(proxy.isAwaiting(1) && proxy.isAwaiting(2))
        var reply = PeekBuffer(ByteBuffer(string: "1ok\n"))
        let answered = try proxy.handleReply(from: 1, &reply, &handler)
        #expect(answered == 4)
        #expect(!proxy.isAwaiting(1) && proxy.isAwaiting(2) && !proxy.isQuiescent)
        proxy.versionLost(2, &handler)
        #expect(proxy.isQuiescent)
    }

    // MARK: Versions that cannot be reached

    private func talk(_ request: String, _ versions: VersionList) -> InMemoryProxy<ToyAdapter> {
        var talk = InMemoryProxy(ToyAdapter(), versions: versions)
        talk.say(ByteBuffer(string: request + "\n"), as: "client")
        return talk
    }

    @Test("what a version never got was not done")
    func unreached() {
        for request in ["2c", "2a", "2c+"] {
            var talk = self.talk(request, [2])
            talk.lose(2, of: "client", isUnreached: true)
            // One that may be done twice is sent again.
            if request.hasSuffix("+") { talk.lose(2, of: "client", isUnreached: true) }
            #expect(talk.takeReceived(by: "client") == ByteBuffer(string: "2!unreached\n"))
        }
    }

    @Test("what one version never got, but another may have done, was perhaps done")
    func partlyReached() {
        for answer in ["1ok\n", nil] {
            var talk = self.talk("2ax=1", [1, 2])
            talk.lose(2, of: "client", isUnreached: true)
            if let answer {
                talk.answer(ByteBuffer(string: answer), from: 1, to: "client")
            } else {
                talk.lose(1, of: "client")
            }
            #expect(talk.takeReceived(by: "client") == ByteBuffer(string: "2!fate-unknown\n"))
        }
        var talk = self.talk("2ax=1", [1, 2])
        talk.lose(1, of: "client", isUnreached: true)
        talk.lose(2, of: "client", isUnreached: true)
        #expect(talk.takeReceived(by: "client") == ByteBuffer(string: "2!unreached\n"))
    }

    @Test("what was sent again and could not be, may have been done the first time")
    func unreachedAgain() {
        var talk = self.talk("1c+", [1])
        talk.lose(1, of: "client")
        talk.lose(1, of: "client", isUnreached: true)
        #expect(talk.takeReceived(by: "client") == ByteBuffer(string: "1!fate-unknown\n"))
    }

    // MARK: Sent again

    @Test("a request that may be done twice is sent again when its version was lost, once")
    func resend() throws {
        try play(
            #"""
            versions 1
            client > 1c+\n1c\n
            1 < 1c+\n1c\n
            1 lost
            1 < 1c+\n
            1 lost
            client < 1!fate-unknown\n1!fate-unknown\n
            failed 2
            """#)
    }

    // MARK: Strategies

    @Test("a strategy may ask all and make an answer of theirs")
    func strategy() throws {
        try play(
            #"""
            versions 1 2
            client > 1v\n
            1 < 1v\n
            2 < 2v\n
            2 > 2b\n
            1 > 1a\n
            client < 1ab\n
            """#)
    }

    @Test("a strategy that never comes to an end fails the request at its limit")
    func endless() throws {
        var limits = Limits.standard
        limits.strategyStepsMax = 2
        try play(
            #"""
            versions 1
            client > 1e\n
            1 < 1e\n
            1 > 1x\n
            1 < 1e\n
            1 > 1x\n
            client < 1!limit-exceeded\n
            """#, limits: limits)
    }

    @Test("a strategy that names a version twice asks it once")
    func askedTwice() throws {
        try play(
            #"""
            versions 1 2
            client > 1d\n
            1 < 1d\n
            1 > 1x\n
            client < 1x\n
            """#)
    }

    @Test("no version is asked next that missed something since the request came")
    func noNextWhileBehind() throws {
        try play(
            #"""
            versions 1 2
            client > 2n\n
            2 < 2n\n
            behind 1
            2 > 2?\n
            1 <
            client < 2?\n
            """#, .replaying)
    }

    // MARK: Sessions

    @Test("the client's next requests wait for a change of its session, which every version gets")
    func session() throws {
        try play(
            #"""
            versions 1 2
            client > 2sdb\n2n\n
            1 < 1sdb\n
            2 < 2sdb\n
            2 <
            1 > 1ok\n
            2 > 2ok\n
            client < 2ok\n
            2 < 2n\n
            """#)
    }

    @Test("a new connection to a version is greeted with the session, and the client does not see the replies")
    func greeting() throws {
        try play(
            #"""
            versions 1 2
            client > 2sdb\n
            1 < 1sdb\n
            2 < 2sdb\n
            1 > 1ok\n
            2 > 2ok\n
            client < 2ok\n
            2 lost
            client > 2n\n
            2 < 2sdb\n2n\n
            2 > 2ok\n2x\n
            client < 2x\n
            """#)
    }

    @Test("a version that does not accept the greeting loses its connection")
    func greetingRefused() throws {
        try play(
            #"""
            versions 1 2
            client > 2sdb\n
            1 < 1sdb\n
            2 < 2sdb\n
            1 > 1ok\n
            2 > 2ok\n
            client < 2ok\n
            2 lost
            client > 2n\n
            2 < 2sdb\n2n\n
            2 > 2!no\n
            1 < 1n\n
            1 > 1x\n
            client < 2x\n
            """#)
    }

    @Test("a version that did not change its session with the others is greeted anew")
    func sessionFailsOnOne() throws {
        try play(
            #"""
            versions 1 2
            client > 2sdb\n
            1 < 1sdb\n
            2 < 2sdb\n
            1 > 1!no\n
            2 > 2ok\n
            client < 2ok\n
            1 closed
            client > 2o\n
            1 < 1sdb\n1o\n
            """#)
    }

    @Test("a session is changed only when earlier reads have been asked of every version that they go to")
    func sessionWaits() throws {
        try play(
            #"""
            versions 1 2
            client > 2n\n2sdb\n
            2 < 2n\n
            2 <
            2 > 2?\n
            1 < 1n\n
            1 <
            1 > 1old\n
            client < 2old\n
            1 < 1sdb\n
            2 < 2sdb\n
            1 > 1!no\n
            2 > 2ok\n
            client < 2ok\n
            """#)
    }

    @Test("a version that was behind while the session changed is greeted anew when it is read from again")
    func sessionBehind() throws {
        try play(
            #"""
            versions 1 2
            client > 2n\n
            2 < 2n\n
            2 > 2x\n
            client < 2x\n
            behind 2
            client > 2sdb\n
            1 < 1sdb\n
            1 > 1ok\n
            client < 2ok\n
            caught-up 2
            client > 2n\n
            2 < 2sdb\n2n\n
            """#, .replaying)
    }
}
