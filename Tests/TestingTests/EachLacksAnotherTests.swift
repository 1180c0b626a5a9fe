import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting

/// A write to several keys when each version lacks another of them.
@Suite("A write to keys of which each version lacks another")
struct EachLacksAnotherTests {
    private typealias Proxy = InMemoryProxy<StoreAdapter>

    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    /// Version 2 lacks what was acknowledged of `a`, version 1 what was acknowledged of `b`, and `move a b` was asked for
    /// before either was found out: its turn comes before the copies'.
    private func moved(_ way: StoreAdapter.Way) -> Proxy {
        var proxy = Proxy(StoreAdapter(way: way), versions: [1, 2])
        proxy.copiesMeanwhile = true
        proxy.say(bytes("set a 1\n"), as: "one")
        proxy.say(bytes("set b 2\n"), as: "two")
        proxy.say(bytes("move a b\n"), as: "three")
        proxy.answer(bytes("ok\n"), from: 1, to: "one")
        proxy.lose(2, of: "one")
        proxy.answer(bytes("ok\n"), from: 2, to: "two")
        proxy.lose(1, of: "two")
        return proxy
    }

    @Test("it is done by no version and may be asked again: no answer would count")
    func refused() {
        var proxy = moved(.parsed)
        #expect(proxy.takeReceived(by: "one") == bytes("ok\n"))
        #expect(proxy.takeReceived(by: "two") == bytes("ok\n"))
        #expect(proxy.takeReceived(by: "three") == bytes("error lost\n"))
        for version: Version in [1, 2] { #expect(proxy.takeSent(to: version, by: "three").readableBytes == 0) }
        #expect(proxy.isQuiescent("three"))
    }

    @Test("what either version has is still there to be copied to the other, and nothing else is")
    func copies() {
        let proxy = moved(.parsed)
        #expect(proxy.unlike.map(\.version) == [2, 1])
        #expect(proxy.unlike.map(\.keys) == [.key(bytes("a")), .key(bytes("b"))])
        #expect(proxy.missed.isEmpty)
    }

    @Test("it is done once a version has all the keys, though another still lacks one")
    func later() {
        var proxy = moved(.parsed)
        proxy.unlike.removeFirst()
        proxy.say(bytes("move a b\n"), as: "four")
        for version: Version in [1, 2] { #expect(proxy.takeSent(to: version, by: "four") == bytes("move a b\n")) }
        for version: Version in [1, 2] { proxy.answer(bytes("ok\n"), from: version, to: "four") }
        #expect(proxy.takeReceived(by: "four") == bytes("ok\n"))
    }

    @Test("a leader that is lost remains the truth about a key that the others lack")
    func leads() {
        var proxy = Proxy(StoreAdapter(way: .parsed), versions: [1, 2])
        proxy.copiesMeanwhile = true
        proxy.unlike = [(1, .key(bytes("a")))]
        proxy.say(bytes("roll a\n"), as: "one")
        #expect(proxy.takeSent(to: 2, by: "one") == bytes("roll a\n"))
        proxy.lose(2, of: "one")
        #expect(proxy.takeReceived(by: "one") == bytes("error lost\n"))
        #expect(proxy.unlike.map(\.version) == [1])
    }

    @Test("a write is not acknowledged by a version alone that came to be behind, while the other is up to date again")
    func swapped() {
        var proxy = Proxy(StoreAdapter(way: .parsed), versions: [1, 2])
        proxy.copiesMeanwhile = true
        proxy.behind = [1]
        proxy.say(bytes("set a 1\n"), as: "one")
        #expect(proxy.takeSent(to: 1, by: "one").readableBytes == 0)
        #expect(proxy.takeSent(to: 2, by: "one") == bytes("set a 1\n"))
        proxy.behind = [2]
        proxy.answer(bytes("ok\n"), from: 2, to: "one")
        #expect(proxy.takeReceived(by: "one") == bytes("error lost\n"))
        #expect(proxy.missed[2]?.map(\.keys) == [.key(bytes("a"))])
    }
}
