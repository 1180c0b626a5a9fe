import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProxy

/// What all client connections of a proxy share about writes: their order, and which versions miss something.
///
/// Thread-safe, and never blocks for long: decisions only. ``CatchUp`` does the work that follows from them.
final class WriteCoordinator: Sendable {
    fileprivate struct State {
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
    }

    private let limits: Limits
    let copiesKeys: Bool
    private let state = Mutex(State())
    /// Whether all versions are up to date: read for every request, so apart from the rest.
    private let isCalm = Atomic(true)
    /// Called when a version fell behind, once until it is up to date again.
    private let onBehind: @Sendable (Version) -> Void

    init(limits: Limits, copiesKeys: Bool, onBehind: @escaping @Sendable (Version) -> Void) {
        self.limits = limits
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
    /// - Parameter granted: called later, on any thread, if the ticket is not granted at once.
    /// - Returns: whether it is granted at once.
    func order(_ ticket: WriteOrder.Ticket, _ keys: KeyMarks, granted: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if state.order.ask(ticket, by: keys) { return true }
            state.waiting[ticket] = granted
            return false
        }
    }

    /// Gives a ticket back.
    func finish(_ ticket: WriteOrder.Ticket) {
        let next = state.withLock { state in
            state.order.finish(ticket).compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for granted in next { granted() }
    }

    // MARK: Versions

    /// The versions that are compared with the others at the moment, those that are behind, and the keys that are on
    /// their way to others.
    var standing: (unverified: Set<Version>, behind: [Version], unlike: [(version: Version, keys: Keys)]) {
        if isCalm.load(ordering: .acquiring) { return ([], [], []) }
        return state.withLock { ($0.unverified, Array($0.queues.keys), $0.mending) }
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
    func missed(_ write: MissedWrite, by version: Version) {
        change(version) { state, version in
            state.queue(version, self.limits, copiesKeys: self.copiesKeys) { $0.append(write) }
        }
    }

    /// A version was started again, or is for another reason not trusted before all of its keys are compared.
    func distrust(_ version: Version) {
        guard copiesKeys else { return }
        change(version) { state, version in
            state.queue(version, self.limits, copiesKeys: true) { $0.requireEverything() }
        }
    }

    private func change(_ version: Version, _ body: (inout State, Version) -> Void) {
        let fallen = state.withLock { state -> [Version] in
            guard state.table.versions.contains(version), state.table.versions.count > 1 else { return [] }
            let isLastSound = state.sound == [version]
            let targets = isLastSound ? state.table.versions.filter { $0 != version } : [version]
            let before = Set(state.queues.keys).union(state.unverified)
            for target in targets { body(&state, target) }
            noteCalm(state)
            return targets.filter { !before.contains($0) }
        }
        for version in fallen { onBehind(version) }
    }

    /// The next work for a version, or `nil` if it is up to date, or gone.
    func nextStep(for version: Version) -> CatchUpQueue.Step? {
        state.withLock { state in
            guard var queue = state.queues[version] else { return nil }
            let step = queue.next(limits.copiedKeysMax)
            state.queues[version] = step == nil ? nil : queue
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

    func done(_ version: Version, through sequence: UInt64, refused: Int) {
        state.withLock { state in
            state.queues[version]?.done(through: sequence)
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
            noteCalm(state)
        }
    }

    private func noteCalm(_ state: State) {
        isCalm.store(state.queues.isEmpty && state.unverified.isEmpty && state.mending.isEmpty, ordering: .releasing)
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
    fileprivate var sound: [Version] {
        table.versions.complete.filter { queues[$0] == nil && !unverified.contains($0) }
    }

    fileprivate mutating func queue(
        _ version: Version, _ limits: Limits, copiesKeys: Bool, _ body: (inout CatchUpQueue) -> Void
    ) {
        var queue = queues[version] ?? CatchUpQueue(limits: limits, copiesKeys: copiesKeys)
        body(&queue)
        queues[version] = queue
    }
}
