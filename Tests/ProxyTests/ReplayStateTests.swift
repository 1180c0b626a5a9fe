import Testing
import VersionKitModel
import VersionKitProxy

@Suite("ReplayState")
struct ReplayStateTests {
    @Test("what is logged lags only while it is replayed, and a replay begins with the first write")
    func replay() {
        var state = ReplayState(role: .logged, logged: 3, bytes: 30)
        state.noteLogged(bytes: 40)
        #expect(state.logged == 4)
        #expect(state.bytes == 40)
        #expect(state.lag == 0)
        #expect(!state.isReplaying)
        state.change(to: .replaying)
        #expect(state.isReplaying)
        #expect(state.lag == 4)
        state.noteReplayed(3)
        state.noteLogged(bytes: 50)
        #expect(state.lag == 2)
        state.change(to: .settling)
        state.noteReplayed(2)
        #expect(state.isReplaying)
        #expect(state.lag == 0)
        // It is given up, and the next one knows nothing of it.
        state.change(to: .logged)
        state.change(to: .replaying)
        #expect(state.lag == 5)
    }

    @Test("a replay that is cut short is never up to date, and the next one may be")
    func trouble() {
        var state = ReplayState(role: .logged)
        state.change(to: .replaying)
        state.noteTrouble("the version ended")
        state.noteTrouble("something else")
        #expect(state.trouble == "the version ended")
        #expect(!state.isReplaying)
        #expect(state.lag == 1)
        state.change(to: .settling)
        #expect(!state.isReplaying)
        state.change(to: .logged)
        state.change(to: .replaying)
        #expect(state.isReplaying)
        #expect(state.trouble == nil)
    }

    @Test("a version to which somebody else replayed may have got anything")
    func taken() {
        #expect(ReplayState(role: .logged, logged: 1).trouble == nil)
        for role in [VersionList.Role.replaying, .settling] {
            let state = ReplayState(role: role, logged: 1)
            #expect(state.trouble != nil)
            #expect(!state.isReplaying)
            #expect(state.lag > 0)
        }
    }

    @Test("a log that lacks a write is of no use for good")
    func failure() {
        var state = ReplayState(role: .logged, logged: 2, bytes: 20)
        state.noteFailure("the disk is full")
        state.noteFailure("something else")
        #expect(state.failure == "the disk is full")
        state.change(to: .replaying)
        #expect(!state.isReplaying)
        #expect(state.lag > 0)
        state.change(to: .logged)
        #expect(state.failure == "the disk is full")
    }
}
