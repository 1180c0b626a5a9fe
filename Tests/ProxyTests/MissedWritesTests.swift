import Testing

@Suite("Writes that a version misses")
struct MissedWritesTests {
    @Test("a version that was lost gets a copy of the keys later, and the client's write has succeeded")
    func lostIsCopied() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            1 lost
            client <
            2 > 2ok\n
            client < 2ok\n
            missed 1 copy x
            failed 0
            # From here on it is not read from, and what is written it gets later.
            client > 2ax=2\n2c\n
            2 < 2ax=2\n2c\n
            1 <
            2 > 2ok\n2v\n
            client < 2ok\n2v\n
            missed 1 replay 1ax=2\n
            """#, .copying)
    }

    @Test("without copies a lost version gets the request again if it may be done twice, or else the write fails")
    func lostIsReplayed() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1+\n2ax=2\n
            1 < 1ax=1+\n1ax=2\n
            2 < 2ax=1+\n2ax=2\n
            2 > 2ok\n2ok\n
            1 lost
            client < 2ok\n2!fate-unknown\n
            missed 1 replay 1ax=1+\n
            diverged 1
            missed 1
            missed 2
            """#, .replaying)
    }

    @Test("a version that was down from the beginning gets every write later, in its own protocol")
    func behindIsReplayed() throws {
        try play(
            #"""
            versions 1 2
            behind 1
            client > 2ax=1\n2zy=1\n
            2 < 2ax=1\n2zy=1\n
            2 > 2ok\n2ok\n
            client < 2ok\n2ok\n
            missed 1 replay 1ax=1\n
            missed 1
            missed 2
            """#, .replaying)
    }

    @Test(
        "what is done is logged for a version that does not run, whatever counts as done; what is not done is not",
        arguments: [ToyAdapter.replaying, ToyAdapter()])
    func logged(_ adapter: ToyAdapter) throws {
        try play(
            #"""
            versions 1(logged) 2
            behind 1
            client > 2ax=1\n2zy=1\n2c\n
            2 < 2ax=1\n2zy=1\n2c\n
            1 <
            2 > 2ok\n2!no\n2v\n
            client < 2ok\n2!no\n2v\n
            missed 1 replay 1ax=1\n
            missed 1
            missed 2
            """#, adapter)
    }

    @Test("what was sent to a version when it still ran is not logged for it")
    func loggedLater() throws {
        try play(
            #"""
            versions 1(writes-only) 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            versions 1(logged) 2
            behind 1
            2 > 2ok\n
            client <
            1 > 1ok\n
            client < 2ok\n
            missed 1
            """#, .replaying)
    }

    @Test("a write that cannot be worded for a version that does not run is done, and its log is not whole any more")
    func unworded() throws {
        try play(
            #"""
            versions 1(logged) 2
            behind 1
            client > 2Ax=1\n
            2 < 2Ax=1\n
            2 > 2ok\n
            client < 2ok\n
            missed 1
            diverged 1
            """#, .replaying)
    }

    @Test("a write that cannot be replayed fails at once where keys cannot be copied, and is copied where they can")
    func missedCopy() throws {
        try play(
            #"""
            versions 1 2
            behind 1
            client > 2Ax=1\n
            client < 2!no-version\n
            """#, .replaying)
        try play(
            #"""
            versions 1 2
            behind 1
            client > 2Ax=1\n
            2 < 2Ax=1\n
            2 > 2ok\n
            client < 2ok\n
            missed 1 copy x
            """#, .copying)
    }

    @Test("a version that answers a write differently gets the state of the one that clients read from")
    func disagreement() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax,y=1\n
            1 < 1ax,y=1\n
            2 < 2ax,y=1\n
            1 > 1!no\n
            2 > 2ok\n
            client < 2ok\n
            missed 1 copy x y
            """#, .copying)
    }

    @Test("a version that retired amid a write misses nothing, whatever it answered")
    func retired() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            1 > 1!no\n
            versions 2
            1 closed
            2 > 2ok\n
            client < 2ok\n
            missed 1
            """#, .copying)
    }

    @Test("a version that is behind is not read from, whatever its age")
    func behindIsNotRead() throws {
        try play(
            #"""
            versions 1 2
            behind 2
            client > 2n\n2c\n
            1 < 1n\n1c\n
            1 > 1a\n1b\n
            client < 2a\n2b\n
            """#, .replaying)
    }

    @Test("a read that waited behind a write asks the versions that are there when its turn comes")
    func readsWaitBehindWrites() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            client2 > 2ax=2\n2n\n
            1/client2 <
            1 > 1ok\n
            2 lost
            client < 2ok\n
            missed 2 copy x
            1/client2 < 1ax=2\n1n\n
            1/client2 > 1ok\n1v\n
            client2 < 2ok\n2v\n
            """#, .copying)
        // The newest one is gone when the read has its turn.
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            client2 > 2ax=2\n2n\n
            versions 1
            1 > 1ok\n
            client < 2ok\n
            1/client2 < 1ax=2\n1n\n
            """#, .copying)
    }

    @Test("a write that began while a version was behind is missed by it even if it has caught up meanwhile")
    func caughtUpMeanwhile() throws {
        let text = #"""
            versions 1 2
            behind 2
            client > 2ax=1\n
            1 < 1ax=1\n
            caught-up 2
            1 > 1ok\n
            client < 2ok\n

            """#
        try play(text + "missed 2 copy x", .copying)
        try play(text + #"missed 2 replay 2ax=1\n"#, .replaying)
    }

    @Test("what a version missed is not replayed when it has the same client's next write already")
    func overtaken() throws {
        let text = #"""
            versions 1 2
            behind 2
            client > 2ax=1\n
            1 < 1ax=1\n
            caught-up 2
            client > 2ax=2\n
            1 < 1ax=2\n
            2 < 2ax=2\n
            1 > 1ok\n
            client < 2ok\n

            """#
        try play(text + "missed 2 copy x\nmissed 2", .copying)
        try play(text + "diverged 2\nmissed 2", .replaying)
    }

    @Test("an answer of a version that missed something meanwhile is not chosen")
    func chosenAnswersAreCurrent() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n2c\n
            1 < 1ax=1\n1c\n
            2 < 2ax=1\n2c\n
            1 > 1!no\n1longer and stale\n
            2 > 2ok\n2new\n
            client < 2ok\n2new\n
            missed 1 copy x
            """#, .copying)
    }

    @Test(
        "when every version was lost the fate is unknown: one of them is taken for the truth, the others get its state")
    func unknown() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            1 lost
            2 lost
            client < 2!fate-unknown\n
            missed 1 copy x
            missed 1
            missed 2
            """#, .copying)
    }

    @Test("when the only version was lost that misses nothing, it is taken for the truth nevertheless")
    func unknownWhileBehind() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            behind 2
            1 lost
            2 > 2ok\n
            client < 2!fate-unknown\n
            missed 2 copy x
            missed 1
            """#, .copying)
    }

    @Test("of two writes under way at once, one version stays that misses nothing")
    func oneStaysCurrent() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            client2 > 2ay=1\n
            1/client2 < 1ay=1\n
            2/client2 < 2ay=1\n
            1 lost
            2 > 2ok\n
            client < 2ok\n
            missed 1 copy x
            # Version 1 alone knows that it did this one, but it is behind: version 2's state is the truth.
            2/client2 lost
            1/client2 > 1ok\n
            client2 < 2!fate-unknown\n
            missed 1 copy y
            missed 1
            missed 2
            """#, .copying)
    }

    @Test("where all have to succeed, a version that is behind fails every write")
    func allOrFail() throws {
        try play(
            #"""
            versions 1 2
            behind 2
            client > 2ax=1\n
            client < 2!no-version\n
            """#)
    }

    @Test("writes of two connections to one key take turns, those to different keys do not wait")
    func turns() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            client2 > 2ax=2\n
            client3 > 2ay=3\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            1/client3 < 1ay=3\n
            2/client3 < 2ay=3\n
            1/client2 <
            1 > 1ok\n
            2 > 2ok\n
            client < 2ok\n
            1/client2 < 1ax=2\n
            2/client2 < 2ax=2\n
            """#, .copying)
    }

    @Test("a client that leaves amid a write leaves the write to be ended, and the next one its turn")
    func leaving() throws {
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            client2 > 2ax=2\n
            client leaves
            1/client2 <
            1 > 1ok\n
            2 lost
            missed 2 copy x
            1/client2 < 1ax=2\n
            """#, .copying)
    }
}
