import Testing

/// Writes whose effect only the version that does them knows.
@Suite("Writes that one version leads")
struct LeadTests {
    @Test(
        "one version does it, and the others get a copy of the keys, even if it failed", arguments: ["random", "!no"])
    func copied(reply: String) throws {
        try play(
            #"""
            versions 1 2
            client > 2lx\n
            2 < 2lx\n
            1 <
            2 > 2\#(reply)\n
            client < 2\#(reply)\n
            missed 1 copy x
            missed 1
            """#, .copying)
    }

    @Test("what came of it the others do by name, and then the client has its answer")
    func followed() throws {
        try play(
            #"""
            versions 1 2
            client > 2lx\n
            2 < 2lx\n
            2 > 2=5\n
            client <
            1 < 1ax=5\n
            1 > 1ok\n
            client < 2=5\n
            missed 1
            # Another client's write to the key had to wait for both.
            client > 2lx\n
            2 < 2lx\n
            client2 > 2ax=7\n
            2 > 2=6\n
            2/client2 <
            1 < 1ax=6\n
            1 > 1ok\n
            client < 2=6\n
            1/client2 < 1ax=7\n
            2/client2 < 2ax=7\n
            """#, .copying)
    }

    @Test("a version that is behind gets later what the others do by name")
    func followedLater() throws {
        try play(
            #"""
            versions 1 2
            behind 1
            client > 2lx\n
            2 < 2lx\n
            2 > 2=5\n
            1 <
            client < 2=5\n
            missed 1 replay 1ax=5\n
            missed 1
            """#, .copying)
    }

    @Test("a version that does not do by name what the leader did gets a copy", arguments: ["> 1!no\\n", "lost"])
    func unfollowed(what: String) throws {
        try play(
            #"""
            versions 1 2
            client > 2lx\n
            2 < 2lx\n
            2 > 2=5\n
            1 < 1ax=5\n
            1 \#(what)
            client < 2=5\n
            missed 1 copy x
            missed 1
            """#, .copying)
    }

    @Test("where nothing came of it, the others are told nothing")
    func nothing() throws {
        try play(
            #"""
            versions 1 2
            client > 2lx\n
            2 < 2lx\n
            2 > 2none\n
            client < 2none\n
            1 <
            missed 1
            """#, .copying)
    }

    @Test("a leader that was lost may have done it: the others' state counts")
    func lost() throws {
        try play(
            #"""
            versions 1 2
            client > 2lx\n
            2 < 2lx\n
            2 lost
            client < 2!fate-unknown\n
            missed 2 copy x
            missed 2
            missed 1
            """#, .copying)
    }

    @Test("a leader that missed something meanwhile does not lead: what it did is undone")
    func behind() throws {
        try play(
            #"""
            versions 1 2
            client > 2lx\n
            2 < 2lx\n
            behind 2
            2 > 2=5\n
            1 <
            client < 2!fate-unknown\n
            missed 2 copy x
            missed 2
            missed 1
            """#, .copying)
        // As it comes about: another request of this client was lost with it.
        try play(
            #"""
            versions 1 2
            client > 2ax=1\n2lx\n
            1 < 1ax=1\n
            2 < 2ax=1\n2lx\n
            1 > 1ok\n
            2 lost
            client < 2ok\n2!fate-unknown\n
            missed 2 copy x
            missed 2 copy x
            missed 2
            missed 1
            """#, .copying)
    }

    @Test("a leader that retires before it answers fails the request")
    func retired() throws {
        try play(
            #"""
            versions 1 2
            client > 2lx\n
            2 < 2lx\n
            versions 1
            client < 2!fate-unknown\n
            failed 1
            """#, .copying)
    }
}
