import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProxy

/// What all client connections of a proxy share about writes: their order, and which versions miss something.
///
/// Thread-safe, and never blocks for long: decisions only. ``CatchUp`` does the work that follows from them.
final class WriteCoordinator: Sendable {
    struct State {
        var order = WriteOrder()
        /// Whom to tell when a ticket is granted.
        var waiting: [WriteOrder.Ticket: @Sendable () -> Void] = [:]
        var lastOwner: UInt64 = 0
        var table = VersionTable()
        /// What each version missed that is behind.
        var queues: [Version: CatchUpQueue] = [:]
        /// Versions that are compared with the others key by key: written to, but not read from.
        var unverified: Set<Version> = []
        /// Copies of single keys that are on their way to versions which take writes.
        var mending: [Mending] = []
        var lastMending: UInt64 = 0
        /// Versions that are to be compared as soon as nobody lacks what only they have.
        var doubted: Set<Version> = []
        var numbers = WriteNumbers()
        var failing: FailingVersions
        /// Whether an older proxy still has the log of what versions miss: until it is ours, no write gets its turn.
        var isWaiting = false
        /// Whether it is not settled yet which versions are to be compared.
        var isUnsettled = false
        /// Who asked for a ticket meanwhile, in order.
        var parked: [(ticket: WriteOrder.Ticket, keys: KeyMarks, granted: @Sendable () -> Void)] = []
        /// Versions that the older proxy has something for.
        var presumed: Set<Version> = []
        /// Versions that have a log on the disk, or may have.
        var logged: Set<Version> = []
        /// How the logs of versions stand that do not run.
        var replays: [Version: ReplayState] = [:]
        /// Versions that do not run, and cannot be logged for.
        var unloggable: [Version] = []
        /// The version that takes over as soon as nothing is under way, and whether writes wait for that.
        var settling: Version?
        var isHeld = false
    }

    /// Keys that a version gets from another.
    struct Mending: Sendable {
        let number: UInt64
        let unlike: VersionStandings.Unlike
        /// Its number in the log, or `nil` if it is in none.
        var record: UInt64?
        /// It has its turn: who finds the keys unlike from now on needs another copy.
        var isBegun = false
    }

    let limits: Limits
    let copiesKeys: Bool
    /// Where what versions miss outlives the process; `nil`: nowhere.
    let store: CatchUpStore?
    let state: Mutex<State>
    private let started = ContinuousClock.now
    /// Whether all versions are up to date: read for every request, so apart from the rest.
    private let isCalm = Atomic(true)
    /// Called when a version fell behind, once until it is up to date again.
    let onBehind: @Sendable (Version) -> Void

    init(
        limits: Limits, copiesKeys: Bool, store: CatchUpStore?, onBehind: @escaping @Sendable (Version) -> Void
    ) {
        self.limits = limits
        state = Mutex(State(failing: FailingVersions(patience: limits.catchUpTimeout)))
        self.store = store
        self.copiesKeys = copiesKeys
        self.onBehind = onBehind
    }

    // MARK: Order

    /// Somebody who writes.
    func newOwner() -> UInt64 {
        state.withLock { state in
            state.lastOwner += 1
            return state.lastOwner
        }
    }

    /// Asks for a ticket.
    ///
    /// - Parameters:
    ///   - isOwn: whether it is not a client's: then it is granted also while clients' writes wait for a version to take over.
    ///   - whenGranted: makes what is called later, on any thread, if the ticket is not granted at once.
    /// - Returns: whether it is granted at once.
    func order(
        _ ticket: WriteOrder.Ticket, _ keys: KeyMarks, isOwn: Bool = false, whenGranted: () -> @Sendable () -> Void
    ) -> Bool {
        state.withLock { state in
            guard !state.isWaiting, !state.isHeld || isOwn else {
                state.parked.append((ticket, keys, whenGranted()))
                return false
            }
            if state.order.ask(ticket, by: keys) { return true }
            state.waiting[ticket] = whenGranted()
            return false
        }
    }

    /// Gives a ticket back.
    func finish(_ ticket: WriteOrder.Ticket) {
        let next = state.withLock { state in
            if !state.parked.isEmpty { state.parked.removeAll { $0.ticket == ticket } }
            state.waiting[ticket] = nil
            return state.order.finish(ticket).compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for granted in next { granted() }
    }

    // MARK: Versions

    /// How versions stand with what was written.
    struct Standing {
        /// Those that are compared with the others at the moment.
        var unverified: Set<Version> = []
        /// Those that are behind. Of versions that do not run, the list by which a client goes tells: for a moment it may be
        /// an older one than ours.
        var behind: [Version] = []
        /// The keys that are on their way to versions which are not behind.
        var unlike: [(version: Version, keys: Keys)] = []
        /// Those that fail the writes which others do.
        var failing: [Version] = []
        /// Whether what they miss can be kept.
        var keepsMissed = true
    }

    var standing: Standing {
        if isCalm.load(ordering: .acquiring) { return Standing() }
        return state.withLock { state in
            Standing(
                unverified: state.unverified,
                behind: Array(state.presumed.union(state.queues.keys)),
                unlike: state.mending.map { ($0.unlike.version, $0.unlike.keys) }, failing: state.failing.versions,
                keepsMissed: copiesKeys || (state.queues.isEmpty && state.presumed.isEmpty)
                    || (!state.queues.values.contains(where: \.isFull) && store?.isSound != false))
        }
    }

    /// The list of versions changed.
    ///
    /// - Parameter evenIfShort: whether it does not matter that those which stay lack something which only one has that
    ///   is taken off.
    /// - Returns: whether it is the first; `nil`: nothing was changed, as it matters.
    func update(_ table: VersionTable, evenIfShort: Bool) -> Bool? {
        state.withLock { state in
            if !evenIfShort, copiesKeys, state.isShort(under: table) { return nil }
            let isFirst = state.table.versions.isEmpty
            state.table = table
            state.queues = state.queues.filter { table.versions.contains($0.key) && table.versions.count > 1 }
            state.unverified = state.unverified.filter { table.versions.contains($0) && table.versions.count > 1 }
            state.presumed = state.presumed.filter { table.versions.contains($0) && table.versions.count > 1 }
            state.doubted = state.doubted.filter { table.versions.contains($0) && table.versions.count > 1 }
            // Nor is what is on the disk of use any more.
            for version in state.logged { forgetIfWhole(version, &state) }
            state.numbers.keep(table.versions)
            state.failing.keep(table.versions.present)
            // At first it is not known yet whether the logs are ours.
            if !isFirst, !state.isWaiting { followReplays(&state) }
            noteCalm(state)
            return isFirst
        }
    }

    /// Where a version is, or `nil` when it is not listed any more.
    func end(of version: Version) -> VersionEnd? {
        state.withLock { $0.table.endpoints[version].map { VersionEnd(version: version, endpoint: $0) } }
    }

    /// The version whose state (of these keys) is the truth for `other` (`nil`: for all), or `nil` if there is none.
    func authority(for other: Version?, in keys: Keys = .none) -> VersionEnd? {
        state.withLock { state in
            state.standings.authority(for: other, in: keys).flatMap { version in
                state.table.endpoints[version].map { VersionEnd(version: version, endpoint: $0) }
            }
        }
    }

    /// The version that others are compared with by a proxy that begins: if possible one that is not doubted itself.
    var truth: Version? {
        state.withLock { state in
            let sound = VersionStandings(
                versions: state.table.versions, behind: state.allBehind.union(state.doubted),
                unlike: state.mending.map(\.unlike))
            return sound.authority() ?? state.standings.authority()
        }
    }

    // MARK: What versions miss

    /// What became of a write that a version missed.
    enum Missed: Sendable {
        /// It is brought to the version with whatever else that misses.
        case kept
        /// It would be lost with the process: then nobody may be told that it is done.
        case unkept
        /// The version takes writes, and only needs its keys: they have to be copied to it.
        case unlike(Mending, isKept: Bool)
    }

    /// A version missed a write, whose turn it still is.
    func missed(_ write: MissedWrite, by version: Version) -> Missed {
        let mending = state.withLock { state -> Missed? in
            guard copiesKeys, write.keys != .everything, !write.keys.isEmpty, state.queues[version] == nil,
                state.table.versions.contains(version)
            else { return nil }
            let unlike = VersionStandings.Unlike(version: version, keys: write.keys)
            // Whoever had it is not on the list any more.
            guard state.standings.authority(for: version, in: write.keys) != nil else { return .unkept }
            // One copy is enough for all who find the keys unlike before it has its turn.
            if let index = state.mending.firstIndex(where: { $0.unlike == unlike && !$0.isBegun }) {
                return noteUnlike(&state.mending[index], &state.logged) ? .kept : .unkept
            }
            let (mending, isKept) = addMending(unlike, record: nil, &state)
            noteCalm(state)
            return .unlike(mending, isKept: isKept)
        }
        return mending ?? (change(version, write) ?? true ? .kept : .unkept)
    }

    /// A version was started again, or is for another reason not trusted before all of its keys are compared.
    func distrust(_ version: Version) {
        guard copiesKeys else { return }
        change(version, MissedWrite(.everything, .copy))
    }

    /// A version is behind from now on, or the others are.
    ///
    /// - Returns: whether what is changed is written down; `nil`: it has to wait until others lack less.
    @discardableResult
    func change(_ version: Version, _ write: MissedWrite) -> Bool? {
        let (fallen, isKept) = state.withLock { state -> ([Version], Bool?) in
            guard state.table.versions.contains(version), state.table.versions.count > 1 else { return ([], true) }
            guard state.replays[version] == nil else {
                log(write, for: version, &state)
                return ([], true)
            }
            // Where keys cannot be copied, no version is the truth for another.
            let targets = copiesKeys ? state.standings.fallen(with: version) : [version]
            guard !targets.isEmpty else {
                noteDoubt(version, &state)
                return ([], nil)
            }
            let before = Set(state.queues.keys).union(state.unverified)
            var isKept = true
            // It is the last one that has everything, whatever was thought of it: before the others' logs say that they do not.
            if state.doubted.remove(version) != nil, !targets.contains(version) { forgetIfWhole(version, &state) }
            for target in targets {
                var queue = state.queues[target] ?? CatchUpQueue(limits: limits, copiesKeys: copiesKeys)
                // What the last one missed that has everything, the others have done: they get its state.
                queue.append(target == version ? write : MissedWrite(write.keys, .copy))
                state.queues[target] = queue
                isKept = keep(queue, of: target, &state) && isKept
            }
            noteCalm(state)
            return (targets.filter { !before.contains($0) }, isKept)
        }
        for version in fallen { onBehind(version) }
        return isKept
    }

    /// The next work for a version, or `nil` if it is up to date, or gone.
    func nextStep(for version: Version) -> CatchUpQueue.Step? {
        state.withLock { state in
            guard var queue = state.queues[version] else { return nil }
            let step = queue.next(limits.copiedKeysMax)
            state.queues[version] = step == nil ? nil : queue
            if step == nil {
                if queue.dropped > 0 { state.numbers.diverged[version, default: 0] += queue.dropped }
                forgetIfWhole(version, &state)
            }
            noteCalm(state)
            return step
        }
    }

    /// Keys of a version were copied, or found equal, while its caller held their ticket.
    func copied(_ keys: [ByteBuffer], to version: Version, differing: Int) {
        state.withLock { state in
            state.queues[version]?.copied(keys)
            state.numbers.examined[version, default: 0] += UInt64(keys.count)
            state.numbers.copied[version, default: 0] += UInt64(differing)
        }
    }

    /// Writes are about to be sent to a version.
    ///
    /// - Throws: if that cannot be written down, so that a proxy which is started anew would send them once more.
    func begin(_ version: Version, _ writes: [MissedWrite], through sequence: UInt64) throws(ProxyError) {
        let isKept = state.withLock { state in
            guard let queue = state.queues[version] else { return true }
            // Those that may be sent once more need no note.
            if store != nil, !copiesKeys, !writes.allSatisfy(\.isIdempotent) {
                guard keep(queue, of: version, &state), note(.begun(through: sequence), of: version) else {
                    return false
                }
            }
            state.queues[version]?.begin(through: sequence)
            return true
        }
        guard isKept else {
            throw ProxyError(
                .unkept, "it cannot be written to the disk that a write is sent to version \(version)", side: .proxy,
                isRetrySafe: true)
        }
    }

    /// A version was lost while it was sent what it missed, or before.
    func interrupted(_ version: Version) {
        if copiesKeys { return distrust(version) }
        state.withLock { state in
            if let through = state.queues[version]?.interrupt() { _ = note(.done(through: through), of: version) }
            // What could not be written to the disk before may be by now.
            store?.acquireIfFailed()
            if let queue = state.queues[version] { _ = keep(queue, of: version, &state) }
        }
    }

    func done(_ version: Version, through sequence: UInt64, refused: Int) {
        state.withLock { state in
            state.queues[version]?.done(through: sequence)
            // Should this fail, a proxy that is started anew takes its fate for unknown.
            if state.queues[version] != nil { _ = note(.done(through: sequence), of: version) }
            if refused > 0 { state.numbers.diverged[version, default: 0] += UInt64(refused) }
        }
    }

    /// All keys of a version are compared with those of another from now on, and it is written to again.
    ///
    /// - Returns: the keys that the other lacks itself.
    func beginVerifying(_ version: Version, with other: Version) -> [ByteBuffer] {
        state.withLock { state in
            state.queues[version] = nil
            state.unverified.insert(version)
            state.numbers.examined[version] = 0
            noteCalm(state)
            return state.mending.filter { $0.unlike.version == other }.flatMap { $0.unlike.keys.names ?? [] }
        }
    }

    /// All keys were compared.
    func endVerifying(_ version: Version) {
        state.withLock { state in
            state.unverified.remove(version)
            forgetIfWhole(version, &state)
            noteCalm(state)
        }
    }

    func noteCalm(_ state: State) {
        let isCalm =
            state.queues.isEmpty && state.unverified.isEmpty && state.presumed.isEmpty && state.mending.isEmpty
            && state.failing.versions.isEmpty
        self.isCalm.store(isCalm, ordering: .releasing)
    }

    // MARK: Numbers

    func noteDiverged(_ version: Version) {
        state.withLock { state in
            if state.replays[version] != nil {
                return fail(version, "a write was done that cannot be logged for version \(version)", &state)
            }
            state.numbers.diverged[version, default: 0] += 1
        }
    }

    /// A version did not do a write that another did, and nothing will bring it to it.
    func noteFailing(_ version: Version, because reason: String) {
        state.withLock { state in
            // It may have been taken away meanwhile.
            let present = state.table.versions.present
            guard present.contains(version), present.count > 1 else { return }
            state.failing.failed(version, because: reason, at: ContinuousClock.now - started)
            noteCalm(state)
        }
    }

    /// A version did a write.
    func noteWorking(_ version: Version) {
        state.withLock { state in
            state.failing.worked(version)
            noteCalm(state)
        }
    }

    /// Says why a version cannot be brought up to date at the moment; `nil`: it can.
    func noteTrouble(_ reason: String?, of version: Version) { state.withLock { $0.numbers.trouble[version] = reason } }

    var numbers: WriteNumbers {
        state.withLock { state in
            var numbers = state.numbers
            for (version, queue) in state.queues {
                numbers.lag[version] = UInt64(queue.count)
                numbers.queued[version] = UInt64(queue.count)
                numbers.queuedBytes[version] = UInt64(queue.bytes)
                if queue.dropped > 0 { numbers.diverged[version, default: 0] += queue.dropped }
            }
            numbers.trouble.merge(state.failing.trouble) { $1 }
            noteDisk(state, &numbers)
            noteReplays(state, &numbers)
            if state.isUnsettled, state.table.versions.count > 1 {
                for version in state.table.versions { numbers.lag[version, default: 0] += 1 }
            }
            for version in state.unverified { numbers.lag[version, default: 0] += 1 }
            for version in state.mending.map(\.unlike.version) + state.doubted
            where state.table.versions.contains(version) {
                numbers.lag[version, default: 0] += 1
            }
            noteSettled(state, &numbers)
            return numbers
        }
    }
}

extension WriteCoordinator.State {
    var standings: VersionStandings {
        VersionStandings(
            versions: table.versions, behind: allBehind, unlike: mending.map(\.unlike))
    }

    var allBehind: Set<Version> { presumed.union(queues.keys).union(unverified) }

    /// Whether versions lack something that stay while others are taken off the list.
    func isShort(under newer: VersionTable) -> Bool {
        guard table.versions.complete.contains(where: { !newer.versions.contains($0) }), !isWaiting else {
            return false
        }
        return newer.versions.contains { version in
            table.versions.complete.contains(version)
                && (isBehind(version) || mending.contains { $0.unlike.version == version })
        }
    }

    /// Whether a version misses something, as far as is known.
    func isBehind(_ version: Version) -> Bool { queues[version] != nil || unverified.contains(version) }
}
