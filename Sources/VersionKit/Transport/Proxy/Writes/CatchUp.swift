import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProxy

/// Brings versions up to date: sends what they missed, copies keys, compares all keys after a version was down.
///
/// One task per version that is behind, and one per version that watches whether it is up. Everything that touches a
/// key holds its ticket in the order of writes, as clients' writes do, so state is moved under live writes and deletes
/// and nothing older ever replaces anything newer.
final class CatchUp: Sendable {
    private let access: any VersionAccess
    private let limits: Limits
    private let tasks = Mutex(Tasks())
    let writes: WriteCoordinator

    private struct Tasks {
        var watching: [Version: Task<Void, Never>] = [:]
        var working: [Version: Task<Void, Never>] = [:]
        /// Keys that wait for their turn to be copied.
        var mending: Set<Unlike> = []
        /// Nothing is begun any more.
        var isStopped = false
        /// Waits for an older proxy to end.
        var takingOver: Task<Void, Never>?
        /// The list of versions that begins when it has ended.
        var pending: VersionTable?
    }

    /// How long to wait before a version that could not be reached is tried again, at first and at most.
    private static let retryDelays = (first: Duration.milliseconds(50), last: Duration.seconds(1))
    /// How often to look whether an older proxy has ended.
    private static let takeOverInterval = Duration.milliseconds(20)

    init(access: any VersionAccess, limits: Limits, store: CatchUpStore?) {
        self.access = access
        self.limits = limits
        let (fallen, continuation) = AsyncStream.makeStream(of: Version.self)
        writes = WriteCoordinator(limits: limits, copiesKeys: access.copiesKeys, store: store) {
            continuation.yield($0)
        }
        Task { [weak self] in
            for await version in fallen {
                guard let self else { return }
                tasks.withLock { tasks in
                    guard !tasks.isStopped else { return }
                    tasks.working[version] = Task { await self.bringUpToDate(version) }
                }
            }
        }
    }

    /// Stops whatever is under way.
    func stop() {
        let takingOver = tasks.withLock { tasks in
            tasks.isStopped = true
            tasks.pending = nil
            return tasks.takingOver
        }
        takingOver?.cancel()
        end { _ in true }
    }

    /// Stops, and gives what versions miss to the proxy that takes over, once nothing is under way any more.
    func handOver() async {
        let working = tasks.withLock { tasks in
            tasks.isStopped = true
            return Array(tasks.working.values)
        }
        stop()
        for task in working { await task.value }
        writes.store?.release()
    }

    private func end(_ isOver: (Version) -> Bool) {
        let over = tasks.withLock { tasks in
            let watching = tasks.watching.filter { isOver($0.key) }
            let working = tasks.working.filter { isOver($0.key) }
            tasks.watching = tasks.watching.filter { !isOver($0.key) }
            tasks.working = tasks.working.filter { !isOver($0.key) }
            return Array(watching.values) + Array(working.values)
        }
        for task in over { task.cancel() }
    }

    /// The list of versions changed.
    func update(_ table: VersionTable) {
        let isFirst = writes.update(table)
        end { !table.versions.contains($0) || table.versions.count < 2 }
        if isFirst, !writes.takeOver() {
            return tasks.withLock { tasks in
                tasks.pending = table
                tasks.takingOver = Task { await self.takeOver() }
            }
        }
        let isPending = tasks.withLock { tasks in
            guard tasks.pending != nil else { return false }
            tasks.pending = table
            return true
        }
        if !isPending { begin(table, isFirst: isFirst) }
    }

    private func takeOver() async {
        repeat {
            // Only the end of this proxy cuts it short.
            try? await Task.sleep(for: Self.takeOverInterval)
            if Task.isCancelled { return }
        } while !writes.takeOver()
        let table = tasks.withLock { tasks in
            defer { tasks.pending = nil }
            return tasks.pending
        }
        if let table { begin(table, isFirst: true) }
        writes.settle()
    }

    private func begin(_ table: VersionTable, isFirst: Bool) {
        guard access.copiesKeys, table.versions.count > 1 else { return }
        let truth = writes.authority(for: nil)?.version
        for version in table.versions where tasks.withLock({ $0.watching[version] == nil }) {
            // What an earlier proxy left unfinished, or nobody did yet to a version that is filled, is not known.
            if isFirst ? version != truth : table.versions.role(of: version) == .filling { writes.distrust(version) }
            let task = Task { await self.watch(version) }
            tasks.withLock { $0.watching[version] = task }
        }
    }

    // MARK: Keys that differ

    /// Copies keys to a version that did something else with them than the one whose word counts.
    ///
    /// It takes its turn like a write: whoever asked before, the same client's next writes included, comes first. Until
    /// then one copy is enough for all who find the keys unlike.
    func mend(_ keys: [ByteBuffer], of version: Version) {
        let unlike = Unlike(keys: Set(keys), version: version)
        guard tasks.withLock({ $0.mending.insert(unlike).inserted }) else { return }
        writes.noteMending(Keys(keys), of: version)
        Task {
            defer { writes.noteMending(Keys(keys), of: version, isOver: true) }
            do {
                try await holding(Keys(keys)) {
                    tasks.withLock { _ = $0.mending.remove(unlike) }
                    guard let end = writes.end(of: version) else { return }
                    guard let source = writes.authority(for: version, in: Keys(keys)) else {
                        throw noAuthority(version)
                    }
                    try await access.copy(keys, from: source, to: end)
                    writes.copied(keys, to: version, differing: keys.count)
                }
            } catch {
                // It is down, or about to be: it gets them when it is up again.
                writes.missed(MissedWrite(Keys(keys), .copy), by: version)
            }
        }
    }

    private struct Unlike: Hashable {
        var keys: Set<ByteBuffer>
        var version: Version
    }

    // MARK: Versions that go down

    /// A version that was started again may have forgotten what it acknowledged last.
    private func watch(_ version: Version) async {
        var delay = Self.retryDelays.first
        while !Task.isCancelled, let end = writes.end(of: version) {
            do {
                try await access.watch(end)
                delay = Self.retryDelays.first
            } catch {
                delay = min(delay * 2, Self.retryDelays.last)
            }
            guard !Task.isCancelled, writes.end(of: version) == end else { continue }
            writes.distrust(version)
            try? await Task.sleep(for: delay)
        }
    }

    // MARK: Up to date

    private func bringUpToDate(_ version: Version) async {
        let clock = ContinuousClock()
        var delay = Self.retryDelays.first
        var lastProgress = clock.now
        while !Task.isCancelled, let end = writes.end(of: version), let step = writes.nextStep(for: version) {
            do {
                try await perform(step, end)
                delay = Self.retryDelays.first
                lastProgress = clock.now
                writes.noteTrouble(nil, of: version)
            } catch {
                if clock.now - lastProgress > limits.catchUpTimeout { writes.noteTrouble("\(error)", of: version) }
                writes.interrupted(version)
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, Self.retryDelays.last)
            }
        }
    }

    private func perform(_ step: CatchUpQueue.Step, _ end: VersionEnd) async throws {
        switch step {
        case .replay(let missed, let through):
            let keys = missed.reduce(Keys.none) { $0.union($1.keys) }
            try await holding(keys) {
                // While the ticket was waited for, a copy may have done some of it.
                guard writes.nextStep(for: end.version) == step else { return }
                let refused = try await access.replay(missed, to: end) {
                    try writes.begin(end.version, missed, through: through)
                }
                writes.done(end.version, through: through, refused: refused)
            }
        case .copy(let keys, let through):
            try await holding(Keys(keys)) {
                guard let source = writes.authority(for: end.version) else { throw noAuthority(end.version) }
                try await access.copy(keys, from: source, to: end)
                writes.copied(keys, to: end.version, differing: keys.count)
                writes.done(end.version, through: through, refused: 0)
            }
        case .everything: try await compareEverything(end)
        }
    }

    private func noAuthority(_ version: Version) -> ProxyError {
        ProxyError(
            .noVersion, "no other version is complete that version \(version) could be compared with", side: .version,
            isRetrySafe: true)
    }

    /// Compares all keys of a version, and copies those that differ.
    private func compareEverything(_ end: VersionEnd) async throws {
        guard let source = writes.authority(for: end.version) else { throw noAuthority(end.version) }
        try await access.probe(end)
        writes.beginVerifying(end.version)
        do {
            for side in [source, end] {
                try await access.visitKeys(of: side) { page in
                    for start in stride(from: 0, to: page.count, by: self.limits.copiedKeysMax) {
                        let chunk = Array(page[start..<min(start + self.limits.copiedKeysMax, page.count)])
                        try await self.compare(chunk, source, end)
                        try await self.drain(end)
                    }
                }
            }
            guard writes.authority(for: end.version) == source else { throw noAuthority(end.version) }
        } catch {
            // In this order: at no time it counts as equal.
            writes.distrust(end.version)
            writes.endVerifying(end.version)
            throw error
        }
        writes.endVerifying(end.version)
    }

    /// What versions came to differ in while they are compared is mended at once.
    private func drain(_ end: VersionEnd) async throws {
        while let step = writes.nextStep(for: end.version) {
            if step == .everything {
                throw ProxyError(
                    .noVersion, "version \(end.version) was lost while it was compared", side: .version,
                    isRetrySafe: true)
            }
            try await perform(step, end)
        }
    }

    private func compare(_ keys: [ByteBuffer], _ source: VersionEnd, _ target: VersionEnd) async throws {
        try Task.checkCancellation()
        try await holding(Keys(keys)) {
            let differing = try await access.differing(keys, source, target)
            if !differing.isEmpty { try await access.copy(differing, from: source, to: target) }
            writes.copied(keys, to: target.version, differing: differing.count)
        }
    }

    /// Runs `body` while nobody else writes to these keys.
    private func holding(_ keys: Keys, _ body: () async throws -> Void) async throws {
        let ticket = WriteOrder.Ticket(owner: writes.newOwner(), number: 0)
        await withCheckedContinuation { continuation in
            if writes.order(ticket, KeyMarks(keys), whenGranted: { { continuation.resume() } }) {
                continuation.resume()
            }
        }
        defer { writes.finish(ticket) }
        try await body()
    }
}
