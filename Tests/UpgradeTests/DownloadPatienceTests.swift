import Testing
import VersionKitUpgrade

@Suite("DownloadPatience")
struct DownloadPatienceTests {
    private let policy = DownloadPatience.Policy()

    @Test("it asks for peers at once, then less and less often while there are too few")
    func asks() {
        var patience = DownloadPatience(policy, at: .zero)
        var times: [Int] = []
        for milliseconds in stride(from: 0, through: 10_000, by: 100) {
            // Something comes all the time.
            let step = patience.step(bytes: UInt64(milliseconds + 1), peers: 3, at: .milliseconds(milliseconds))
            if step == .ask(isStuck: false) { times.append(milliseconds) } else { #expect(step == .wait) }
        }
        #expect(times == [0, 500, 1500, 3500, 7500])
    }

    @Test("with enough peers it does not ask again")
    func enough() {
        var patience = DownloadPatience(policy, at: .zero)
        #expect(patience.step(bytes: 1, peers: 0, at: .zero) == .ask(isStuck: false))
        for second in 1...60 {
            #expect(patience.step(bytes: UInt64(1 + second), peers: policy.peersWanted, at: .seconds(second)) == .wait)
        }
    }

    @Test("when nothing comes it says that it is stuck, and gives up in the end")
    func stuck() {
        var patience = DownloadPatience(policy, at: .zero)
        var steps: [Int: DownloadPatience.Step] = [:]
        for milliseconds in stride(from: 0, through: 8000, by: 100) {
            let step = patience.step(bytes: 7, peers: 8, at: .milliseconds(milliseconds))
            if step != .wait { steps[milliseconds] = step }
        }
        #expect(
            steps == [
                0: .ask(isStuck: false), 2000: .ask(isStuck: true), 4000: .ask(isStuck: true),
                6000: .ask(isStuck: true), 8000: .giveUp,
            ])
    }

    @Test("one more byte, and it is patient again; bytes that turned out wrong are none")
    func progress() {
        var patience = DownloadPatience(policy, at: .zero)
        _ = patience.step(bytes: 1000, peers: 8, at: .zero)
        #expect(patience.step(bytes: 1001, peers: 8, at: .milliseconds(7900)) == .wait)
        #expect(patience.step(bytes: 500, peers: 8, at: .milliseconds(15_800)) == .ask(isStuck: true))
        #expect(patience.step(bytes: 1001, peers: 8, at: .milliseconds(15_900)) == .giveUp)
    }

    @Test("stuck after something was wrong, it has what is here looked at anew, once for that")
    func lookAgain() {
        var patience = DownloadPatience(policy, at: .zero)
        _ = patience.step(bytes: 9, peers: policy.peersWanted, at: .zero)
        #expect(patience.step(bytes: 9, wrong: 5, peers: policy.peersWanted, at: .milliseconds(1900)) == .wait)
        #expect(patience.step(bytes: 9, wrong: 5, peers: 0, at: .seconds(2)) == .ask(isStuck: true))
        #expect(patience.step(bytes: 9, wrong: 5, peers: policy.peersWanted, at: .seconds(3)) == .lookAgain)
        #expect(patience.step(bytes: 9, wrong: 5, peers: policy.peersWanted, at: .milliseconds(4900)) == .wait)
        #expect(patience.step(bytes: 9, wrong: 5, peers: policy.peersWanted, at: .seconds(5)) == .ask(isStuck: true))
        #expect(patience.step(bytes: 9, wrong: 6, peers: policy.peersWanted, at: .milliseconds(5100)) == .lookAgain)
        #expect(patience.step(bytes: 9, wrong: 6, peers: policy.peersWanted, at: .milliseconds(13_100)) == .giveUp)
    }

    @Test("while what is here is still looked at, no time passes")
    func checking() {
        var patience = DownloadPatience(policy, at: .zero)
        _ = patience.step(bytes: 0, peers: 0, at: .zero)
        patience.rest(at: .seconds(100))
        #expect(patience.step(bytes: 0, peers: 8, at: .seconds(101)) == .wait)
    }
}
