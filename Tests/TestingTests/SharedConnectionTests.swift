import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting

@Suite("Runs on shared connections")
struct SharedConnectionTests {
    private typealias Proxy = InMemoryProxy<StoreAdapter>

    private let everybody = Proxy.everybody

    private func proxy(_ versions: VersionList, limits: Limits = .standard) -> Proxy {
        var proxy = Proxy(StoreAdapter(way: .shared), versions: versions, limits: limits)
        proxy.sharesConnections = true
        return proxy
    }

    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    @Test("clients share one connection, and each gets the replies to what it asked")
    func ownReplies() {
        var proxy = proxy([1])
        proxy.say(bytes("get a\nget b\n"), as: "one")
        proxy.say(bytes("get c\n"), as: "two")
        #expect(proxy.takeSent(to: 1, by: everybody) == bytes("get a\nget b\nget c\n"))
        proxy.answer(bytes("1\n2\n3\n"), from: 1, to: everybody)
        #expect(proxy.takeReceived(by: "one") == bytes("1\n2\n"))
        #expect(proxy.takeReceived(by: "two") == bytes("3\n"))
    }

    @Test("a request that needs a connection of its own does not overtake what a shared one still owes")
    func noOvertaking() {
        var proxy = proxy([1, 2])
        proxy.say(bytes("set a 1\nroll a\n"), as: "one")
        #expect(proxy.takeSent(to: 2, by: everybody) == bytes("set a 1\n"))
        proxy.answer(bytes("ok\n"), from: 2, to: everybody)
        #expect(proxy.takeSent(to: 2, by: "one").readableBytes == 0)
        proxy.answer(bytes("ok\n"), from: 1, to: everybody)
        #expect(proxy.takeSent(to: 2, by: "one") == bytes("roll a\n"))
    }

    @Test("what waited for its turn while runs were taken apart does not overtake what a shared connection still owes")
    func noOvertakingOnceTakenApart() {
        var proxy = proxy([1, 2])
        // Another client holds the key that the second run needs.
        proxy.say(bytes("set b 9\n"), as: "two")
        proxy.say(bytes("set a 1\nset c 1\n"), as: "one")
        proxy.say(bytes("set b 2\n"), as: "one")
        proxy.say(bytes("get a\n"), as: "one")
        for version: Version in [1, 2] {
            #expect(proxy.takeSent(to: version, by: everybody) == bytes("set b 9\nset a 1\nset c 1\n"))
        }
        // A reply that needs a look inside, and the turn of the second run comes while version 1 still owes the first.
        proxy.answer(bytes("ok\nnone\nok\n"), from: 2, to: everybody)
        proxy.answer(bytes("ok\n"), from: 1, to: everybody)
        #expect(proxy.takeReceived(by: "two") == bytes("ok\n"))
        for version: Version in [1, 2] { #expect(proxy.takeSent(to: version, by: "one").readableBytes == 0) }
        proxy.answer(bytes("none\nok\n"), from: 1, to: everybody)
        #expect(proxy.takeSent(to: 2, by: "one") == bytes("set b 2\nget a\n"))
        #expect(proxy.takeSent(to: 1, by: "one") == bytes("set b 2\n"))
    }

    @Test("a client that gets much at one time has a connection of its own from then on")
    func takesMuch() {
        var limits = Limits.standard
        limits.sharedReplyBytesMax = 4
        var proxy = proxy([1], limits: limits)
        proxy.say(bytes("get a\n"), as: "one")
        proxy.answer(bytes("12345\n"), from: 1, to: everybody)
        _ = proxy.takeSent(to: 1, by: everybody)
        proxy.say(bytes("get a\n"), as: "one")
        #expect(proxy.takeSent(to: 1, by: everybody).readableBytes == 0)
        #expect(proxy.takeSent(to: 1, by: "one") == bytes("get a\n"))
    }

    @Test("before replies are known to be small, few requests are under way on a shared connection")
    func firstRequests() {
        var limits = Limits.standard
        limits.firstSharedRequestsMax = 2
        var proxy = proxy([1], limits: limits)
        proxy.say(bytes("get a\nget b\nget c\n"), as: "one")
        #expect(proxy.takeSent(to: 1, by: everybody) == bytes("get a\nget b\n"))
        proxy.answer(bytes("1\n2\n"), from: 1, to: everybody)
        #expect(proxy.takeSent(to: 1, by: everybody) == bytes("get c\n"))
    }

    @Test("versions that answer a run differently differ on the write that they answered differently, and on no other")
    func different() {
        var proxy = proxy([1, 2])
        proxy.say(bytes("set a 1\nset b 2\n"), as: "one")
        proxy.answer(bytes("ok\nok\n"), from: 2, to: everybody)
        proxy.answer(bytes("ok\nno\n"), from: 1, to: everybody)
        #expect(proxy.missed == [1: [MissedWrite(.key(bytes("b")), .copy)]])
        #expect(proxy.takeReceived(by: "one") == bytes("ok\nok\n"))
        #expect(proxy.isQuiescent("one"))
    }

    @Test("when a shared connection is lost, everybody who was owed a reply is answered")
    func lost() {
        var proxy = proxy([1])
        proxy.say(bytes("add a 1\n"), as: "one")
        proxy.say(bytes("add b 1\n"), as: "two")
        proxy.lose(1, of: everybody)
        #expect(proxy.takeReceived(by: "one") == bytes("error lost\n"))
        #expect(proxy.takeReceived(by: "two") == bytes("error lost\n"))
        #expect(proxy.answered.failed == 2)
    }
}
