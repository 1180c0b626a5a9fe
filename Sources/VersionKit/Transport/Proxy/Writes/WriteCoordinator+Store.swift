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
        // Where all keys are compared by a proxy that is started anew, nothing is lost: unless it is taken for the truth.
        let isNewest = version == VersionStandings(versions: state.table.versions, behind: [], unlike: []).authority()
        return store.keep(queue, of: version) || (copiesKeys && !isNewest)
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
    /// - Returns: the single keys that are to be copied, or `nil` if that proxy still runs: until this is called again and
    ///   it does not, no write gets its turn, and nothing is read that a version lacks.
    func takeOver() -> [Mending]? {
        guard let store else { return [] }
        let taken = state.withLock {
            state -> (fallen: [Version], granted: [@Sendable () -> Void], lacking: [Mending])? in
            // A directory that cannot be used is in the numbers; until it can be, everything else goes on.
            let isOurs = (try? store.acquire()) ?? true
            let listed = Set(store.versions)
            state.isWaiting = !isOurs
            guard isOurs else {
                if !state.isUnsettled { ProxyLog.note("an older proxy still runs; writes wait for its end") }
                state.isUnsettled = true
                presume(
                    state.table.versions.count > 1 ? listed.filter(state.table.versions.contains) : [], store, &state)
                noteCalm(state)
                return nil
            }
            presume([], store, &state)
            state.logged = listed
            let fallen =
                copiesKeys
                ? recoverStandings(listed, store, &state)
                : listed.sorted().filter {
                    recover($0, store, &state)
                }
            followReplays(&state)
            noteCalm(state)
            return (fallen, unpark(&state), state.mending)
        }
        guard let taken else { return nil }
        for version in taken.fallen { onBehind(version) }
        for granted in taken.granted { granted() }
        return taken.lacking
    }

    /// While another proxy has the logs: what they say at this moment.
    private func presume(_ listed: Set<Version>, _ store: CatchUpStore, _ state: inout State) {
        guard copiesKeys else { return state.presumed = listed }
        let logs = Dictionary(uniqueKeysWithValues: listed.map { ($0, store.peek($0)) }).filter { !$0.value.isEmpty }
        let recovered = RecoveredStandings(versions: state.table.versions, logs: logs)
        state.presumed = recovered.behind.union(recovered.doubted)
        state.mending = []
        for (lack, sequence) in recovered.unlike { addMending(lack, record: sequence, &state) }
    }

    /// Which versions are to be compared is settled, after a time in which it was not.
    func settle() { state.withLock { $0.isUnsettled = false } }

    /// - Returns: whether the version is behind.
    private func recover(_ version: Version, _ store: CatchUpStore, _ state: inout State) -> Bool {
        guard let recovery = read(version, store, &state) else { return false }
        var queue = CatchUpQueue(limits: limits, copiesKeys: copiesKeys, recovering: recovery)
        // What was missed while the older proxy had not ended yet.
        for (_, write) in state.queues[version]?.missed(after: 0) ?? [] { queue.append(write) }
        let wasKnown = state.queues.updateValue(queue, forKey: version) != nil
        _ = keep(queue, of: version, &state)
        ProxyLog.note("version \(version) is behind since before this proxy: \(queue.count) to be brought to it")
        return !wasKnown
    }

    /// Reads a version's log.
    ///
    /// - Returns: what it lacks; `nil`: nothing, or nobody cares any more, and the log is removed.
    private func read(_ version: Version, _ store: CatchUpStore, _ state: inout State) -> CatchUpRecovery? {
        guard state.table.versions.contains(version), state.table.versions.count > 1 else {
            forget(version, &state)
            return nil
        }
        let recovery = store.recover(version)
        if let damage = recovery.damage {
            ProxyLog.note("what version \(version) missed cannot be read to the end: \(damage)")
        }
        if recovery.isEmpty { forget(version, &state) }
        return recovery.isEmpty ? nil : recovery
    }

    /// What the logs say of versions whose keys can be copied.
    ///
    /// - Returns: those that are behind.
    private func recoverStandings(_ listed: Set<Version>, _ store: CatchUpStore, _ state: inout State) -> [Version] {
        var logs: [Version: CatchUpRecovery] = [:]
        for version in listed { logs[version] = read(version, store, &state) }
        let recovered = RecoveredStandings(versions: state.table.versions, logs: logs)
        for version in recovered.diverged {
            ProxyLog.note("no version is known to have everything; version \(version) is taken for the one")
            state.numbers.diverged[version, default: 0] += 1
        }
        for version in recovered.behind {
            ProxyLog.note("version \(version) is behind since before this proxy: all of its keys are compared")
            let queue = CatchUpQueue(limits: limits, copiesKeys: true, needsEverything: true)
            state.queues[version] = queue
            _ = keep(queue, of: version, &state)
        }
        state.doubted = recovered.doubted
        for (lack, sequence) in recovered.unlike { addMending(lack, record: sequence, &state) }
        // Of those that are taken for the truth, logs say what is not true any more.
        for version in logs.keys where !recovered.doubted.contains(version) { forgetIfWhole(version, &state) }
        return recovered.behind.sorted()
    }

    /// A version may lack anything, and is compared later: until then its log says so.
    func noteDoubt(_ version: Version, _ state: inout State) {
        state.doubted.insert(version)
        guard let store else { return }
        state.logged.insert(version)
        store.doubt(version)
    }

    /// Those who had to wait all ask now.
    ///
    /// - Returns: what is to be called, as they have their turn.
    func unpark(_ state: inout State) -> [@Sendable () -> Void] {
        let parked = state.parked
        state.parked = []
        return parked.compactMap { ask($0, &state) }
    }

    private func ask(
        _ wanted: (ticket: WriteOrder.Ticket, keys: KeyMarks, granted: @Sendable () -> Void), _ state: inout State
    ) -> (@Sendable () -> Void)? {
        if state.order.ask(wanted.ticket, by: wanted.keys) { return wanted.granted }
        state.waiting[wanted.ticket] = wanted.granted
        return nil
    }
}
