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
        var mending: [(version: Version, keys: Keys)] = []
        var numbers = WriteNumbers()
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
    }

    let limits: Limits
    let copiesKeys: Bool
    /// Where what versions miss outlives the process; `nil`: nowhere.
    let store: CatchUpStore?
    let state = Mutex(State())
    /// Whether all versions are up to date: read for every request, so apart from the rest.
    private let isCalm = Atomic(true)
    /// Called when a version fell behind, once until it is up to date again.
    let onBehind: @Sendable (Version) -> Void

    init(
        limits: Limits, copiesKeys: Bool, store: CatchUpStore?, onBehind: @escaping @Sendable (Version) -> Void
    ) {
        self.limits = limits
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
    /// - Parameter whenGranted: makes what is called later, on any thread, if the ticket is not granted at once.
    /// - Returns: whether it is granted at once.
    func order(
        _ ticket: WriteOrder.Ticket, _ keys: KeyMarks, whenGranted: () -> @Sendable () -> Void
    ) -> Bool {
        state.withLock { state in
            guard !state.isWaiting else {
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
            return state.order.finish(ticket).compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for granted in next { granted() }
    }

    // MARK: Versions

    /// How versions stand with what was written.
    struct Standing {
        /// Those that are compared with the others at the moment.
        var unverified: Set<Version> = []
        /// Those that are behind.
        var behind: [Version] = []
        /// The keys that are on their way to versions which are not behind.
        var unlike: [(version: Version, keys: Keys)] = []
        /// Whether what they miss can be kept.
        var keepsMissed = true
    }

    var standing: Standing {
        if isCalm.load(ordering: .acquiring) { return Standing() }
        return state.withLock { state in
            Standing(
                unverified: state.unverified, behind: Array(state.presumed.union(state.queues.keys)),
                unlike: state.mending,
                keepsMissed: copiesKeys
                    || (!state.queues.values.contains(where: \.isFull) && store?.isSound != false))
        }
    }

    /// Whether a version gets writes directly, and not by what it missed.
    func takesWrites(_ version: Version) -> Bool {
        state.withLock { $0.queues[version] == nil && $0.table.versions.contains(version) }
    }

    /// The list of versions changed.
    ///
    /// - Returns: whether it is the first.
    func update(_ table: VersionTable) -> Bool {
        state.withLock { state in
            defer { state.table = table }
            state.queues = state.queues.filter { table.versions.contains($0.key) && table.versions.count > 1 }
            state.unverified = state.unverified.filter { table.versions.contains($0) && table.versions.count > 1 }
            state.presumed = state.presumed.filter { table.versions.contains($0) && table.versions.count > 1 }
            // Nor is what is on the disk of use any more.
            for version in state.logged where !state.isBehind(version) { forget(version, &state) }
            state.numbers.keep(table.versions)
            noteCalm(state)
            return state.table.versions.isEmpty
        }
    }

    /// Where a version is, or `nil` when it is not listed any more.
    func end(of version: Version) -> VersionEnd? {
        state.withLock { $0.table.endpoints[version].map { VersionEnd(version: version, endpoint: $0) } }
    }

    /// The version whose state (of these keys) is the truth for `other` (`nil`: for all), or `nil` if there is none.
    func authority(for other: Version?, in keys: Keys = .none) -> VersionEnd? {
        state.withLock { state in
            let sound = state.sound.filter { version in
                version != other && !state.mending.contains { $0.version == version && $0.keys.overlaps(keys) }
            }
            let best = sound.last { state.table.versions.role(of: $0) == .full } ?? sound.last
            return best.flatMap { version in
                state.table.endpoints[version].map { VersionEnd(version: version, endpoint: $0) }
            }
        }
    }

    // MARK: What versions miss

    /// A version missed a write.
    ///
    /// The last version that has all of the state cannot be behind: it is the truth. The others then are.
    ///
    /// - Returns: `false` if the write would be lost with the process: then nobody may be told that it is done.
    @discardableResult
    func missed(_ write: MissedWrite, by version: Version) -> Bool { change(version) { $0.append(write) } }

    /// A version was started again, or is for another reason not trusted before all of its keys are compared.
    func distrust(_ version: Version) {
        guard copiesKeys else { return }
        change(version) { $0.requireEverything() }
    }

    @discardableResult
    private func change(_ version: Version, _ body: (inout CatchUpQueue) -> Void) -> Bool {
        let (fallen, isKept) = state.withLock { state -> ([Version], Bool) in
            guard state.table.versions.contains(version), state.table.versions.count > 1 else { return ([], true) }
            // Where keys cannot be copied, no version is the truth for another.
            let isLastSound = copiesKeys && state.sound == [version]
            let targets = isLastSound ? state.table.versions.filter { $0 != version } : [version]
            let before = Set(state.queues.keys).union(state.unverified)
            var isKept = true
            for target in targets {
                var queue = state.queues[target] ?? CatchUpQueue(limits: limits, copiesKeys: copiesKeys)
                body(&queue)
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
                if !state.isBehind(version) { forget(version, &state) }
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

    /// All keys of a version are compared from now on, and it is written to again.
    func beginVerifying(_ version: Version) {
        state.withLock { state in
            state.queues[version] = nil
            state.unverified.insert(version)
            state.numbers.examined[version] = 0
            noteCalm(state)
        }
    }

    /// All keys were compared.
    func endVerifying(_ version: Version) {
        state.withLock { state in
            state.unverified.remove(version)
            if !state.isBehind(version) { forget(version, &state) }
            noteCalm(state)
        }
    }

    func noteCalm(_ state: State) {
        let isCalm =
            state.queues.isEmpty && state.unverified.isEmpty && state.presumed.isEmpty && state.mending.isEmpty
        self.isCalm.store(isCalm, ordering: .releasing)
    }

    // MARK: Numbers

    /// A copy of keys to a version is on its way, or not any more.
    func noteMending(_ keys: Keys, of version: Version, isOver: Bool = false) {
        state.withLock { state in
            if !isOver {
                state.mending.append((version, keys))
            } else if let index = state.mending.firstIndex(where: { $0.version == version && $0.keys == keys }) {
                state.mending.remove(at: index)
            }
            noteCalm(state)
        }
    }

    func noteDiverged(_ version: Version) { state.withLock { $0.numbers.diverged[version, default: 0] += 1 } }

    /// Says why a version cannot be brought up to date at the moment; `nil`: it can.
    func noteTrouble(_ reason: String?, of version: Version) { state.withLock { $0.numbers.trouble[version] = reason } }

    var numbers: WriteNumbers {
        state.withLock { state in
            var numbers = state.numbers
            for (version, queue) in state.queues {
                numbers.lag[version] = UInt64(queue.count)
                if queue.dropped > 0 { numbers.diverged[version, default: 0] += queue.dropped }
            }
            noteDisk(state, &numbers)
            if state.isUnsettled, state.table.versions.count > 1 {
                for version in state.table.versions { numbers.lag[version, default: 0] += 1 }
            }
            for version in state.unverified { numbers.lag[version, default: 0] += 1 }
            for (version, _) in state.mending where state.table.versions.contains(version) {
                numbers.lag[version, default: 0] += 1
            }
            return numbers
        }
    }
}

extension WriteCoordinator.State {
    /// The versions that have all of the state.
    var sound: [Version] {
        table.versions.complete.filter { !isBehind($0) && !presumed.contains($0) }
    }

    /// Whether a version misses something, as far as is known.
    func isBehind(_ version: Version) -> Bool { queues[version] != nil || unverified.contains(version) }
}
