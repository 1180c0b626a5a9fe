import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy
import VersionKitTesting

@Suite("Versions that keep failing")
struct FailingVersionsTests {
    private func failing(_ milliseconds: Int...) -> FailingVersions {
        var failing = FailingVersions(patience: .seconds(1))
        for time in milliseconds { failing.failed(2, because: "it is down", at: .milliseconds(time)) }
        return failing
    }

    @Test("a version that fails every write for long enough is reported with the reason, one that fails a few is not")
    func patience() {
        #expect(failing(0).trouble.isEmpty && failing(0).versions == [2])
        #expect(failing(0, 500, 999).trouble.isEmpty)
        #expect(failing(0, 500, 1000).trouble == [2: "it fails every write: it is down"])
    }

    @Test("a version that does one write in between begins anew")
    func worked() {
        var failing = self.failing(0, 500, 1000)
        failing.worked(2)
        #expect(failing.versions.isEmpty && failing.trouble.isEmpty)
        failing.failed(2, because: "again", at: .milliseconds(1001))
        #expect(failing.trouble.isEmpty)
    }

    @Test("two failures with nothing known in between are two, not one that lasts")
    func silence() {
        #expect(failing(0, 5000).trouble.isEmpty)
        #expect(!failing(0, 5000, 5600, 6000).trouble.isEmpty)
    }

    @Test("a version that is not listed any more, or is alone, fails nobody's writes")
    func gone() {
        for versions in [[1], [2], []] as [VersionList] {
            var failing = self.failing(0, 500, 1000)
            failing.keep(versions)
            #expect(failing.trouble.isEmpty)
        }
        var failing = self.failing(0, 500, 1000)
        failing.keep([1, 2])
        #expect(!failing.trouble.isEmpty)
    }

    @Test("while both run the newer one goes; the older one only if the newer one lacks nothing")
    func departure() {
        var numbers = WriteNumbers()
        #expect(numbers.departure(old: 1, new: 2) == nil)
        numbers.trouble = [1: "old"]
        #expect(numbers.departure(old: 1, new: 2) == .older(reason: "old"))
        numbers.lag = [2: 1]
        #expect(numbers.departure(old: 1, new: 2) == nil)
        numbers.trouble[2] = "new"
        #expect(numbers.departure(old: 1, new: 2) == .newer(reason: "new"))
    }

    @Test(
        "whoever does not do a write that another does is noted, until it does one",
        arguments: [ToyAdapter(), .replaying])
    func noted(_ adapter: ToyAdapter) {
        var proxy = InMemoryProxy(adapter, versions: [1, 2])
        func say(_ text: String) { proxy.say(ByteBuffer(string: text), as: "client") }
        say("2ax=1\n")
        proxy.answer(ByteBuffer(string: "1ok\n"), from: 1, to: "client")
        proxy.answer(ByteBuffer(string: "2!full\n"), from: 2, to: "client")
        // What counts is the newest version's word, where not all have to succeed.
        #expect(proxy.failing == [2])
        say("2ax=2\n")
        proxy.answer(ByteBuffer(string: "1ok\n"), from: 1, to: "client")
        proxy.answer(ByteBuffer(string: "2ok\n"), from: 2, to: "client")
        #expect(proxy.failing.isEmpty)
    }

    @Test("if nobody did a write, nobody failed others")
    func nobody() {
        var proxy = InMemoryProxy(ToyAdapter(), versions: [1, 2])
        proxy.say(ByteBuffer(string: "2ax=1\n"), as: "client")
        proxy.lose(1, of: "client")
        proxy.lose(2, of: "client")
        #expect(proxy.failing.isEmpty)
    }
}
