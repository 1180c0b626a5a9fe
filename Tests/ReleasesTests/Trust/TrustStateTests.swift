import Testing
import VersionKitModel
import VersionKitReleases

@Suite("Whom a node trusts")
struct TrustStateTests {
    private let now = Publishers.now

    private func refusal(
        _ state: TrustState, _ channel: @autoclosure () throws -> SignedDocument<ReleaseChannel>
    ) throws -> ReleaseError.Code? {
        var state = state
        let (document, now) = (try channel(), now)
        return code { () throws(ReleaseError) in try state.accept(document, at: now) }
    }

    private func refusal(
        _ state: TrustState, root: @autoclosure () throws -> SignedDocument<TrustRoot>
    ) throws -> ReleaseError.Code? {
        var state = state
        let document = try root()
        return code { () throws(ReleaseError) in try state.accept(document) }
    }

    private func begins(_ version: Version, _ state: TrustState, at clock: UTCTime) -> ReleaseError.Code? {
        code { () throws(ReleaseError) in try state.checkBeginning(of: version, at: clock) }
    }

    // MARK: Signatures

    @Test("a threshold of distinct keys of the root has to sign a channel")
    func threshold() throws {
        let publishers = try Publishers()
        let state = try publishers.state()
        #expect(try refusal(state, publishers.channel(1)) == nil)
        #expect(try refusal(state, publishers.channel(1, signedBy: [2, 0])) == nil)
        #expect(try refusal(state, publishers.channel(1, signedBy: [])) == .unknownKey)
        #expect(try refusal(state, publishers.channel(1, signedBy: [0])) == .thresholdNotReached)
        #expect(try refusal(state, publishers.channel(1, signedBy: [0, 0])) == .thresholdNotReached)
        #expect(try refusal(state, publishers.channel(1, signedBy: [0, 3])) == .thresholdNotReached)
        #expect(try refusal(state, publishers.channel(1, signedBy: [3])) == .unknownKey)
        #expect(try refusal(state, publishers.channel(1, of: "cfs")) == .otherApplication)
    }

    @Test("the same signature listed twice counts once")
    func doubled() throws {
        let publishers = try Publishers()
        let lines = String(decoding: try publishers.channel(1, signedBy: [0]).bytes, as: UTF8.self).split(
            separator: "\n")
        let signature = lines[1].dropFirst().dropLast()
        let doubled = try SignedDocument<ReleaseChannel>(
            bytes: Array("\(lines[0])\n[\(signature),\(signature)]\n".utf8))
        #expect(try refusal(publishers.state(), doubled) == .thresholdNotReached)
    }

    @Test("a pinned root that its own keys did not sign is none")
    func pinned() throws {
        let publishers = try Publishers()
        let document = try publishers.root(signedBy: [0])
        #expect(code { () throws(ReleaseError) in _ = try TrustState(pinned: document) } == .thresholdNotReached)
    }

    // MARK: Roots

    @Test("keys come and go by roots that the ones before signed; what a revoked key signed counts no more")
    func rotation() throws {
        let publishers = try Publishers()
        var state = try publishers.state()
        let old = try publishers.channel(5)
        try state.accept(old, at: now)
        // Key 1 goes, key 3 comes.
        try state.accept(publishers.root(2, keys: [0, 2, 3], signedBy: [0, 1, 3]))
        #expect(state.numbers == (2, 0), "the channel was signed by a key that is revoked")
        #expect(try refusal(state, publishers.channel(6, signedBy: [0, 1])) == .thresholdNotReached)
        #expect(try refusal(state, old) == .thresholdNotReached)
        try state.accept(publishers.channel(6, signedBy: [0, 3]), at: now)
        #expect(begins(2, state, at: now) == nil)
    }

    @Test("a channel whose signers stay outlives the root")
    func rotationKeeps() throws {
        let publishers = try Publishers()
        var state = try publishers.state(publishers.channel(5))
        try state.accept(publishers.root(2, keys: [0, 1, 3], signedBy: [0, 1]))
        #expect(state.numbers == (2, 5))
    }

    @Test("a root counts only if the keys before and its own signed it, and no number is left out")
    func rootRefused() throws {
        let publishers = try Publishers()
        let state = try publishers.state()
        let keys = [1, 2, 3]
        #expect(try refusal(state, root: publishers.root(2, keys: keys, signedBy: [0, 3])) == .thresholdNotReached)
        #expect(try refusal(state, root: publishers.root(2, keys: keys, signedBy: [0, 1])) == .thresholdNotReached)
        #expect(try refusal(state, root: publishers.root(2, keys: keys, signedBy: [0, 1, 3])) == nil)
        #expect(try refusal(state, root: publishers.root(3)) == .gap)
        #expect(try refusal(state, root: publishers.root(1, expires: now)) == .olderDocument)
        #expect(try refusal(state, root: publishers.root(2, of: "cfs")) == .otherApplication)
    }

    @Test("a chain of roots is walked one by one, up to the last number that there is")
    func chain() throws {
        let publishers = try Publishers()
        var state = try publishers.state()
        for number in 2...40 as ClosedRange<UInt64> {
            // Each drops one key, so none of them can be left out.
            let keys = [0, 1, 2, 3].filter { $0 != Int(number % 4) }
            let before = [0, 1, 2, 3].filter { number == 2 ? $0 != 3 : $0 != Int((number - 1) % 4) }
            try state.accept(
                publishers.root(number, keys: keys, signedBy: Array(Set(keys.prefix(2) + before.prefix(2)))))
        }
        #expect(state.numbers.root == 40)
        #expect(state.root(1) == state.pinned)
        #expect(state.root(40) == state.root)
        #expect(state.root(41) == nil)
        let again = try TrustState(pinned: state.pinned, roots: state.later.reversed(), memory: state.memory)
        #expect(again == state, "the order of files does not matter")
        let gap = try TrustState(pinned: state.pinned, roots: state.later.filter { $0.content.number != 20 })
        #expect(gap.numbers.root == 19)
        let last = try TrustState(pinned: publishers.root(1000))
        #expect(throws: ReleaseError.self) { try publishers.root(1001) }
        #expect(last.numbers.root == 1000)
    }

    @Test("who pins a newer root goes on from there; who pins another chain keeps nothing of the first")
    func repinned() throws {
        let publishers = try Publishers()
        let (two, three) = (try publishers.root(2), try publishers.root(3))
        let channel = try publishers.channel(4)
        let newer = try TrustState(pinned: two, roots: [two, three], channel: channel)
        #expect(newer.numbers == (3, 4))
        let others = try Publishers()
        let elsewhere = try TrustState(
            pinned: others.root(1), roots: [publishers.root(1), two, three], channel: channel)
        #expect(elsewhere.numbers == (1, 0))
        let rival = try publishers.root(1, expires: now)
        let forked = try TrustState(pinned: rival, roots: [publishers.root(1), two], channel: channel)
        #expect(
            forked.numbers == (1, 4), "another root of the same number leads elsewhere, even if the same keys signed")
    }

    // MARK: Channels

    @Test("nothing begins that the channel does not offer, and only with its manifest")
    func offered() throws {
        let publishers = try Publishers()
        #expect(begins(1, try publishers.state(), at: now) == .notOffered)
        let state = try publishers.state(publishers.channel(1))
        for version in [1, 2, 3] as [Version] { #expect(begins(version, state, at: now) == nil) }
        #expect(begins(4, state, at: now) == .notOffered)
    }

    @Test("a channel's number only grows, and two of the same number are one too many")
    func rollback() throws {
        let publishers = try Publishers()
        let present = try publishers.channel(5)
        var state = try publishers.state(present)
        #expect(try refusal(state, publishers.channel(4)) == .olderDocument)
        #expect(try refusal(state, publishers.channel(5, withdrawn: [1])) == .conflict)
        #expect(try state.accept(present, at: now) == false)
        #expect(try state.accept(publishers.channel(5, signedBy: [1, 2]), at: now) == false, "it says the same")
        #expect(try state.accept(publishers.channel(9), at: now))
        #expect(state.numbers.channel == 9)
    }

    @Test("the lines of two channels do not make a third")
    func mixed() throws {
        let publishers = try Publishers()
        let parts = [try publishers.channel(5), try publishers.channel(6, withdrawn: [3])].map {
            $0.bytes.split(separator: 10)
        }
        let mixed = try SignedDocument<ReleaseChannel>(bytes: Array(parts[1][0]) + [10] + Array(parts[0][1]) + [10])
        #expect(try refusal(publishers.state(), mixed) == .badSignature)
    }

    @Test("what was withdrawn once never begins again, whatever later channels say")
    func withdrawn() throws {
        let publishers = try Publishers()
        var state = try publishers.state(publishers.channel(1))
        try state.accept(publishers.channel(2, withdrawn: [2]), at: now)
        #expect(begins(2, state, at: now) == .withdrawn)
        #expect(state.withdrawn == [2: "loses writes"])
        try state.accept(publishers.channel(3), at: now)
        #expect(begins(2, state, at: now) == .withdrawn)
        #expect(Set(state.withdrawn.keys) == [2])
        let again = try TrustState(
            pinned: state.pinned, roots: state.later, channel: state.channel, memory: state.memory)
        #expect(begins(2, again, at: now) == .withdrawn, "also after a restart")
    }

    // MARK: Time

    @Test("an expired channel begins nothing, still withdraws, and a newer one mends it")
    func expired() throws {
        let publishers = try Publishers()
        var state = try publishers.state(publishers.channel(1))
        #expect(begins(1, state, at: now + 99) == nil)
        #expect(begins(1, state, at: now + 100) == .expired)
        // It came late, but it is newer.
        #expect(try state.accept(publishers.channel(2, withdrawn: [3]), at: now + 200))
        #expect(begins(1, state, at: now + 200) == .expired)
        #expect(Set(state.withdrawn.keys) == [3])
        try state.accept(publishers.channel(3, expires: now + 300), at: now + 200)
        #expect(begins(1, state, at: now + 200) == nil)
    }

    @Test("an expired root begins nothing, and its successor mends it")
    func expiredRoot() throws {
        let publishers = try Publishers()
        var state = try publishers.state(publishers.channel(1, expires: now + 9000))
        #expect(begins(1, state, at: now + 1000) == .expired)
        try state.accept(publishers.root(2, expires: now + 5000))
        #expect(begins(1, state, at: now + 1000) == nil)
    }

    @Test("a clock that jumps back makes nothing valid again that has expired")
    func clockBack() throws {
        let publishers = try Publishers()
        var state = try publishers.state(publishers.channel(1))
        state.observe(now + 100)
        #expect(begins(1, state, at: now) == .expired)
        #expect(begins(1, state, at: UTCTime(seconds: 0)) == .expired)
        // The same again is not news.
        try state.accept(publishers.channel(1), at: now)
        #expect(begins(1, state, at: now) == .expired)
        #expect(try refusal(state, publishers.channel(0 + 1, withdrawn: [1])) == .conflict)
    }

    @Test("a clock that jumped forward for a moment stops a node only until the next channel")
    func clockForward() throws {
        let publishers = try Publishers()
        var state = try publishers.state(publishers.channel(1))
        state.observe(UTCTime(seconds: UTCTime.secondsMax))
        #expect(begins(1, state, at: now) == .expired)
        try state.accept(publishers.channel(2), at: now)
        #expect(begins(1, state, at: now) == nil)
        // While it is wrong, a newer channel does not help, and does not lock the node either.
        try state.accept(publishers.channel(3), at: UTCTime(seconds: UTCTime.secondsMax))
        #expect(begins(1, state, at: now) == .expired)
        try state.accept(publishers.channel(4), at: now)
        #expect(begins(1, state, at: now) == nil)
    }
}
