import Synchronization
import VersionKitModel
import VersionKitProxy

/// Versions that do not run, and may be gone back to (R19): what they miss goes to a log, and nowhere else.
extension WriteCoordinator {
    /// The list of versions changed, or the directory with the logs is ours.
    func followReplays(_ state: inout State) {
        let logged = state.table.versions.logged
        state.replays = state.replays.filter { logged.contains($0.key) }
        if let store {
            for version in store.replayVersions where !logged.contains(version) { store.removeReplay(of: version) }
        }
        for version in logged {
            guard let role = state.table.versions.role(of: version) else { continue }
            if state.replays[version] == nil {
                state.replays[version] =
                    store?.openReplay(of: version, as: role)
                    ?? ReplayState(role: role, failure: "the proxy has no directory for a log")
            } else {
                state.replays[version]?.change(to: role)
            }
            if state.queues.removeValue(forKey: version) != nil {
                fail(version, "version \(version) missed writes when its log began", &state)
                forgetIfWhole(version, &state)
            }
        }
    }

    /// A write is done: it goes to the log. Should that fail, the client is served all the same.
    func log(_ write: MissedWrite, for version: Version, _ state: inout State) {
        guard let store, let replay = state.replays[version], replay.failure == nil else { return }
        do {
            let bytes = try store.log(write, sequence: replay.logged + 1, for: version)
            state.replays[version]?.noteLogged(bytes: bytes)
        } catch {
            fail(version, "\(error)", &state)
        }
    }

    /// A log is not the whole truth any more.
    func fail(_ version: Version, _ reason: String, _ state: inout State) {
        guard state.replays[version]?.failure == nil else { return }
        ProxyLog.note("what version \(version) misses cannot be replayed to it any more: \(reason)")
        state.replays[version]?.noteFailure(reason)
        store?.failReplay(of: version)
    }

    // MARK: The replay

    /// How many writes are to be sent next; `nil`: the replay is over, for good or ill.
    func remaining(for version: Version) -> UInt64? {
        state.withLock { state in
            guard let replay = state.replays[version], replay.isReplaying else { return nil }
            return replay.lag
        }
    }

    func replayed(_ count: Int, to version: Version) {
        state.withLock { $0.replays[version]?.noteReplayed(count) }
    }

    func noteReplayTrouble(_ reason: String, of version: Version) {
        state.withLock { $0.replays[version]?.noteTrouble(reason) }
    }

    // MARK: Taking over

    /// Another list is about to be applied.
    ///
    /// - Parameters:
    ///   - version: the one that is to take over by it; `nil`: none.
    ///   - unloggable: those that do not run, and of which it is not known what they miss.
    func prepare(settling version: Version?, unloggable: [Version]) {
        state.withLock { ($0.settling, $0.unloggable) = (version, unloggable) }
    }

    /// All requests go by that list: further writes wait, until another list says who does them.
    func holdIfSettling() { state.withLock { $0.isHeld = $0.settling != nil } }

    /// Lets the writes go on that wait, if none is to take over.
    func unholdUnlessSettling() {
        let granted = state.withLock { state -> [@Sendable () -> Void] in
            guard state.settling == nil, state.isHeld else { return [] }
            state.isHeld = false
            return state.isWaiting ? [] : unpark(&state)
        }
        for granted in granted { granted() }
    }

    // MARK: Numbers

    func noteReplays(_ state: State, _ numbers: inout WriteNumbers) {
        for (version, replay) in state.replays {
            numbers.lag[version] = replay.lag
            numbers.logged[version] = replay.logged
            numbers.loggedBytes[version] = replay.bytes
            numbers.unreplayable[version] = replay.failure
            if let trouble = replay.trouble ?? (replay.role == .logged ? nil : replay.failure) {
                numbers.trouble[version] = trouble
            }
        }
        for version in state.unloggable {
            numbers.unreplayable[version] = "the proxy goes by callbacks, which do not say what a version misses"
        }
    }

    /// Whether the version that is to take over has everything, once all other numbers are there.
    func noteSettled(_ state: State, _ numbers: inout WriteNumbers) {
        guard let version = state.settling else { return }
        // Until writes wait and none is under way, there may be more to come.
        numbers.lag[version, default: 0] += UInt64(state.order.count) + (state.isHeld ? 0 : 1)
        if numbers.lag[version] == 0 { numbers.settled[version] = 1 }
    }
}
