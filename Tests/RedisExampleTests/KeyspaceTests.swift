import RedisCheckModel
import Testing

/// What the checking client believes. Method: feed it steps with the replies of a Redis that works, or does not.
@Suite("What a checking client knows of its keys")
struct KeyspaceTests {
    @Test("what was acknowledged has to be there")
    func acknowledged() {
        var keyspace = Keyspace()
        #expect(keyspace.answered(Step([.init("a.0", .set("x"))]), [.ok]) == nil)
        #expect(keyspace.losses(["a.0": Entry(.text("x"))]).isEmpty)
        #expect(keyspace.losses([:]).count == 1)
        #expect(keyspace.losses(["a.0": Entry(.text("y"))]).count == 1)
        #expect(keyspace.losses(["a.0": Entry(.text("x"), expires: true)]).count == 1)
    }

    @Test("what was deleted must not come back")
    func deleted() {
        var keyspace = Keyspace()
        #expect(keyspace.answered(Step([.init("a.0", .push("x"))]), [.integer(1)]) == nil)
        #expect(keyspace.answered(Step([.init("a.0", .pop)]), [.bulk("x")]) == nil)
        #expect(keyspace.losses([:]).isEmpty)
        #expect(keyspace.losses(["a.0": Entry(.list(["x"]))]).count == 1)
    }

    @Test("a wrong answer is a problem, and so is an error")
    func wrongAnswer() {
        var keyspace = Keyspace()
        #expect(keyspace.answered(Step([.init("a.0", .append("abc"))]), [.integer(3)]) == nil)
        #expect(keyspace.answered(Step([.init("a.0", .append("d"))]), [.integer(5)]) != nil)
        #expect(keyspace.answered(Step([.init("b.0", .get)]), [.error("ERR no")]) != nil)
    }

    @Test("a write without answer happened or did not, and its key is not written again")
    func doubtful() {
        var keyspace = Keyspace()
        let key = keyspace.key("a")
        #expect(keyspace.answered(Step([.init(key, .set("x"))]), [.ok]) == nil)
        keyspace.doubt(Step([.init(key, .append("y"))]))
        #expect(keyspace.key("a") != key)
        #expect(keyspace.losses([key: Entry(.text("x"))]).isEmpty)
        #expect(keyspace.losses([key: Entry(.text("xy"))]).isEmpty)
        #expect(keyspace.losses([key: Entry(.text("y"))]).count == 1)
        #expect(keyspace.losses([:]).count == 1)
    }

    @Test("half a transaction is a loss")
    func halfTransaction() {
        var keyspace = Keyspace()
        let step = Step([.init("a.0", .increase(-5)), .init("b.0", .increase(5))], isTransaction: true)
        #expect(keyspace.answered(step, [.ok, .queued, .queued, .array([.integer(-5), .integer(5)])]) == nil)
        keyspace.doubt(step)
        let before: Keyspace.Entries = ["a.0": Entry(.text("-5")), "b.0": Entry(.text("5"))]
        let after: Keyspace.Entries = ["a.0": Entry(.text("-10")), "b.0": Entry(.text("10"))]
        let half: Keyspace.Entries = ["a.0": Entry(.text("-10")), "b.0": Entry(.text("5"))]
        #expect(keyspace.losses(before).isEmpty)
        #expect(keyspace.losses(after).isEmpty)
        #expect(keyspace.losses(half).count == 1)
    }

    @Test("a transaction that was not executed is a problem")
    func abortedTransaction() {
        var keyspace = Keyspace()
        let step = Step([.init("a.0", .increase(1)), .init("b.0", .increase(1))], isTransaction: true)
        #expect(keyspace.answered(step, [.ok, .queued, .queued, .array(nil)]) != nil)
        #expect(keyspace.answered(step, [.ok, .queued, .queued, .error("EXECABORT")]) != nil)
    }

    @Test("the server chooses what SPOP takes, but only once, and only from what is there")
    func popAny() {
        var keyspace = Keyspace()
        for member in ["x", "y"] {
            #expect(keyspace.answered(Step([.init("s.0", .add(member))]), [.integer(1)]) == nil)
        }
        #expect(keyspace.answered(Step([.init("s.0", .popAny)]), [.bulk("y")]) == nil)
        #expect(keyspace.entries["s.0"] == Entry(.set(["x"])))
        #expect(keyspace.answered(Step([.init("s.0", .popAny)]), [.bulk("y")]) != nil)
    }

    @Test("SET without a time to live ends the one that was, APPEND does not")
    func timeToLive() {
        var keyspace = Keyspace()
        let steps = Step([.init("t.0", .setExpiring("x")), .init("t.0", .append("y"))])
        #expect(keyspace.answered(steps, [.ok, .integer(2)]) == nil)
        #expect(keyspace.entries["t.0"] == Entry(.text("xy"), expires: true))
        #expect(keyspace.answered(Step([.init("t.0", .persist)]), [.integer(1)]) == nil)
        #expect(keyspace.answered(Step([.init("t.0", .expire)]), [.integer(1)]) == nil)
        #expect(keyspace.answered(Step([.init("t.0", .set("z"))]), [.ok]) == nil)
        #expect(keyspace.entries["t.0"] == Entry(.text("z")))
    }
}
