import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProxy

/// What versions miss outlives the process: what is written down when, and what is read when a proxy is started anew.
///
/// Everything is written while the state is locked, so the log has the order of the queue.
extension WriteCoordinator {
    func keep(_ queue: CatchUpQueue, of version: Version, _ state: inout State) -> Bool {
        guard let store else { return true }
        state.logged.insert(version)
        // Where all keys are compared by a proxy that is started anew, nothing is lost.
        return store.keep(queue, of: version) || copiesKeys
    }

    func note(_ record: CatchUpRecord, of version: Version) -> Bool {
        guard let store, !copiesKeys else { return true }
        return store.note(record, of: version)
    }

    func forget(_ version: Version, _ state: inout State) {
        guard let store, !state.isWaiting, state.logged.remove(version) != nil else { return }
        store.remove(version)
    }

    func noteDisk(_ state: State, _ numbers: inout WriteNumbers) {
        guard let store else { return }
        let (reasons, directory, unkept) = store.troubles
        numbers.disk = reasons
        if let directory { for version in state.table.versions { numbers.disk[version] = directory } }
        numbers.unkept = unkept
        numbers.keep(state.table.versions)
    }

    // MARK: Proxies before this one

    /// Takes over what an earlier proxy knew of versions that are behind. To be called once there is a list of them.
    ///
    /// - Returns: `false` if that proxy still runs: until this is called again and it does not, no write gets its turn,
    ///   and versions that it has something for are not read from.
    func takeOver() -> Bool {
        guard let store else { return true }
        let taken = state.withLock { state -> (fallen: [Version], granted: [@Sendable () -> Void])? in
            // A directory that cannot be used is in the numbers; until it can be, everything else goes on.
            let isOurs = (try? store.acquire()) ?? true
            let listed = Set(store.versions)
            state.isWaiting = !isOurs
            guard isOurs else {
                if !state.isUnsettled { ProxyLog.note("an older proxy still runs; writes wait for its end") }
                state.isUnsettled = true
                state.presumed = state.table.versions.count > 1 ? listed.filter(state.table.versions.contains) : []
                noteCalm(state)
                return nil
            }
            state.presumed = []
            state.logged = listed
            let fallen = listed.sorted().filter { recover($0, store, &state) }
            if copiesKeys, state.sound.isEmpty { chooseTruth(&state) }
            noteCalm(state)
            let parked = state.parked
            state.parked = []
            return (fallen, parked.compactMap { ask($0, &state) })
        }
        guard let taken else { return false }
        for version in taken.fallen { onBehind(version) }
        for granted in taken.granted { granted() }
        return true
    }

    /// Which versions are to be compared is settled, after a time in which it was not.
    func settle() { state.withLock { $0.isUnsettled = false } }

    /// - Returns: whether the version is behind.
    private func recover(_ version: Version, _ store: CatchUpStore, _ state: inout State) -> Bool {
        guard state.table.versions.contains(version), state.table.versions.count > 1 else {
            forget(version, &state)
            return false
        }
        let recovery = store.recover(version)
        if let damage = recovery.damage {
            ProxyLog.note("what version \(version) missed cannot be read to the end: \(damage)")
        }
        guard !recovery.isEmpty else {
            forget(version, &state)
            return false
        }
        var queue = CatchUpQueue(limits: limits, copiesKeys: copiesKeys, recovering: recovery)
        // What was missed while the older proxy had not ended yet.
        for (_, write) in state.queues[version]?.missed(after: 0) ?? [] { queue.append(write) }
        let wasKnown = state.queues.updateValue(queue, forKey: version) != nil
        _ = keep(queue, of: version, &state)
        ProxyLog.note("version \(version) is behind since before this proxy: \(queue.count) to be brought to it")
        return !wasKnown
    }

    /// Every log says that its version is behind, which a proxy sees to that it never is: one cannot be read any more.
    private func chooseTruth(_ state: inout State) {
        let complete = state.table.versions.complete
        guard let truth = complete.last(where: { state.table.versions.role(of: $0) == .full }) ?? complete.last else {
            return
        }
        ProxyLog.note("no version is known to have everything; version \(truth) is taken for the one")
        state.queues[truth] = nil
        state.numbers.diverged[truth, default: 0] += 1
        forget(truth, &state)
    }

    private func ask(
        _ wanted: (ticket: WriteOrder.Ticket, keys: KeyMarks, granted: @Sendable () -> Void), _ state: inout State
    ) -> (@Sendable () -> Void)? {
        if state.order.ask(wanted.ticket, by: wanted.keys) { return wanted.granted }
        state.waiting[wanted.ticket] = wanted.granted
        return nil
    }
}
