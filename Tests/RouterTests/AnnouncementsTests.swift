import Testing
import VersionKitModel
import VersionKitRouter

@Suite("Announcements")
struct AnnouncementsTests {
    private let application = ApplicationID(rawValue: "irislog")!

    private func peer(_ number: UInt32) -> IPAddress { IPAddress(v4: number) }
    private func target(_ number: UInt32) -> Announcements.Target { .init(application, peer(number)) }

    @Test("each peer is told once, some at a time")
    func concurrency() {
        var policy = Announcements.Policy()
        policy.concurrentMax = 2
        var announcements = Announcements(policy)
        announcements.announce(application, to: [peer(1), peer(2), peer(3)], at: .zero)
        #expect(announcements.next(at: .zero) == .send(target(1)))
        #expect(announcements.next(at: .zero) == .send(target(2)))
        #expect(announcements.next(at: .zero) == .idle)
        announcements.succeeded(target(1))
        #expect(announcements.next(at: .zero) == .send(target(3)))
        announcements.succeeded(target(2))
        announcements.succeeded(target(3))
        #expect(announcements.next(at: .zero) == .idle)
        #expect(announcements.waiting == 0)
        #expect(announcements.counters.told == 3)
    }

    @Test("a peer that cannot be told is tried again after pauses that grow, and then given up and counted")
    func backOff() {
        var policy = Announcements.Policy()
        policy.attemptsMax = 4
        policy.pause = .seconds(1)
        policy.pauseMax = .seconds(3)
        var announcements = Announcements(policy)
        announcements.announce(application, to: [peer(1)], at: .zero)
        var now = Duration.zero
        for pause in [1, 2, 3] {
            #expect(announcements.next(at: now) == .send(target(1)))
            #expect(announcements.failed(target(1), at: now) == false)
            let due = now + .seconds(pause)
            #expect(announcements.next(at: now) == .wait(until: due))
            now = due
        }
        #expect(announcements.next(at: now) == .send(target(1)))
        #expect(announcements.failed(target(1), at: now) == true)
        #expect(announcements.next(at: now + .seconds(1000)) == .idle)
        #expect(announcements.counters.failed == 4)
        #expect(announcements.counters.givenUp == 1)
    }

    @Test("a peer that was given up is told when it is heard again, any other is not")
    func heardAgain() {
        var policy = Announcements.Policy()
        policy.attemptsMax = 1
        var announcements = Announcements(policy)
        announcements.announce(application, to: [peer(1)], at: .zero)
        _ = announcements.next(at: .zero)
        #expect(announcements.failed(target(1), at: .zero) == true)
        #expect(announcements.heard(target(2), at: .zero) == false)
        #expect(announcements.heard(target(1), at: .zero) == true)
        #expect(announcements.heard(target(1), at: .zero) == false)
        #expect(announcements.next(at: .zero) == .send(target(1)))
    }

    @Test("a peer that could not be reached is told when it is heard, once")
    func heardWhileWaiting() {
        var announcements = Announcements()
        announcements.announce(application, to: [peer(1)], at: .zero)
        for _ in 1...4 {
            guard case .wait(let due) = announcements.next(at: .zero) else {
                announcements.failed(target(1), at: .zero)
                continue
            }
            _ = announcements.next(at: due)
            announcements.failed(target(1), at: due)
        }
        #expect(announcements.heard(target(1), at: .milliseconds(1)) == true)
        #expect(announcements.next(at: .milliseconds(1)) == .send(target(1)))
        announcements.failed(target(1), at: .milliseconds(1))
        #expect(announcements.heard(target(1), at: .milliseconds(2)) == false)
        guard case .wait = announcements.next(at: .milliseconds(2)) else {
            Issue.record("it is tried without a pause")
            return
        }
    }

    @Test("news that comes while a peer is told is told too, at once, whether the first telling worked or not")
    func news() {
        for works in [true, false] {
            var announcements = Announcements()
            announcements.announce(application, to: [peer(1)], at: .zero)
            _ = announcements.next(at: .zero)
            announcements.announce(application, to: [peer(1)], at: .zero)
            #expect(announcements.next(at: .zero) == .idle)
            if works { announcements.succeeded(target(1)) } else { announcements.failed(target(1), at: .zero) }
            #expect(announcements.next(at: .seconds(1)) == .send(target(1)))
            announcements.succeeded(target(1))
            #expect(announcements.waiting == 0)
        }
    }

    @Test("a peer that was forgotten is not tried again, also if it is just being told")
    func forgotten() {
        var announcements = Announcements()
        announcements.announce(application, to: [peer(1), peer(2)], at: .zero)
        _ = announcements.next(at: .zero)
        announcements.forget(target(1))
        announcements.forget(target(2))
        #expect(announcements.failed(target(1), at: .zero) == false)
        #expect(announcements.next(at: .seconds(100)) == .idle)
        #expect(announcements.waiting == 0)
        #expect(announcements.counters.givenUp == 0)
    }

    @Test("when too many peers wait, the further ones are counted and not told")
    func bounded() {
        var policy = Announcements.Policy()
        policy.waitingMax = 2
        var announcements = Announcements(policy)
        announcements.announce(application, to: [peer(1), peer(2), peer(3), peer(1)], at: .zero)
        #expect(announcements.waiting == 2)
        #expect(announcements.counters.dropped == 1)
    }
}
