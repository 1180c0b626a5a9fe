import Synchronization
import VersionKitModel
import VersionKitProxy

/// Keys that are copied to versions which are not behind.
extension WriteCoordinator {
    /// A copy has its turn.
    func begin(_ mending: Mending) { setBegun(true, mending) }

    /// A copy could not be made, and waits for its turn again.
    ///
    /// - Returns: whether there is no need to: its version is compared with the others as a whole. It is not as long as
    ///   each of the others lacks something, too.
    func failed(_ mending: Mending) -> Bool {
        setBegun(false, mending)
        return change(mending.unlike.version, MissedWrite(mending.unlike.keys, .copy)) != nil
    }

    private func setBegun(_ isBegun: Bool, _ mending: Mending) {
        state.withLock { state in
            guard let index = state.mending.firstIndex(where: { $0.number == mending.number }) else { return }
            state.mending[index].isBegun = isBegun
        }
    }

    /// A copy was made, or is not needed any more.
    func end(_ mending: Mending) {
        let doubted = state.withLock { state in
            if let index = state.mending.firstIndex(where: { $0.number == mending.number }) {
                let record = state.mending.remove(at: index).record
                if let record { store?.copied(record, to: mending.unlike.version) }
            }
            forgetIfWhole(mending.unlike.version, &state)
            noteCalm(state)
            return state.doubted
        }
        for version in doubted { distrust(version) }
    }

    /// Keys are to be copied to a version.
    ///
    /// - Parameter record: where that is written down already.
    /// - Returns: the copy, and whether it is written down: a proxy that is started anew takes for the truth of a key
    ///   whoever does not lack it by the log.
    @discardableResult
    func addMending(
        _ unlike: VersionStandings.Unlike, record: UInt64?, _ state: inout State
    ) -> (mending: Mending, isKept: Bool) {
        state.lastMending += 1
        var mending = Mending(number: state.lastMending, unlike: unlike, record: record)
        let isKept = noteUnlike(&mending, &state.logged)
        state.mending.append(mending)
        return (mending, isKept)
    }

    /// - Returns: whether it is written down, if there is a log.
    func noteUnlike(_ mending: inout Mending, _ logged: inout Set<Version>) -> Bool {
        guard let store, mending.record == nil else { return true }
        logged.insert(mending.unlike.version)
        mending.record = store.lacks(mending.unlike.keys, mending.unlike.version)
        return mending.record != nil
    }

    /// A version is not behind any more, or some of its keys were copied.
    func forgetIfWhole(_ version: Version, _ state: inout State) {
        guard !state.isBehind(version), !state.doubted.contains(version) else { return }
        let lacking = state.mending.filter { $0.unlike.version == version }
        guard !lacking.isEmpty else { return forget(version, &state) }
        if state.logged.contains(version) {
            store?.compared(version, lacking: Set(lacking.compactMap(\.record)))
        }
    }
}
