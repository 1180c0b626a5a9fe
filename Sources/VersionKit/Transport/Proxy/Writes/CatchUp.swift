import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProxy
import VersionKitUpgrade

/// Brings versions up to date: sends what they missed, copies keys, compares all keys after a version was down.
///
/// One task per version that is behind, and one per version that watches whether it is up. Everything that touches a
/// key holds its ticket in the order of writes, as clients' writes do, so state is moved under live writes and deletes
/// and nothing older ever replaces anything newer.
final class CatchUp: Sendable {
    let access: any VersionAccess
    let limits: Limits
    let tasks = Mutex(Tasks())
    let writes: WriteCoordinator
    private let pace: Mutex<MigrationPace>
    private let started = ContinuousClock.now

    struct Tasks {
        var watching: [Version: Task<Void, Never>] = [:]
        var working: [Version: Task<Void, Never>] = [:]
        /// Where each of them is that would be heard to end.
        var watched: [Version: VersionEnd] = [:]
        /// When everything is done that clients asked for by an older list.
        var settled: EventLoopFuture<Void>?
        /// Copies of single keys, by number.
        var mending: [UInt64: Task<Void, Never>] = [:]
        /// Nothing is begun any more.
        var isStopped = false
        /// Waits for an older proxy to end.
        var takingOver: Task<Void, Never>?
        /// The list of versions that begins when it has ended.
        var pending: VersionTable?
    }

    /// How long to wait before a version that could not be reached is tried again, at first and at most.
    static let retryDelays = (first: Duration.milliseconds(50), last: Duration.seconds(1))
    /// How often to look whether a version is connected to, or lacks nothing any more.
    static let watchInterval = Duration.milliseconds(2)
    /// How often to look whether an older proxy has ended.
    private static let takeOverInterval = Duration.milliseconds(20)

    init(access: any VersionAccess, limits: Limits, store: CatchUpStore?) {
        self.access = access
        self.limits = limits
        pace = Mutex(MigrationPace(MigrationRate(recordsPerSecond: limits.copiedKeysPerSecond)))
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
            return Array(tasks.working.values) + Array(tasks.mending.values)
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
            tasks.watched = tasks.watched.filter { !isOver($0.key) }
            return Array(watching.values) + Array(working.values) + (tasks.isStopped ? Array(tasks.mending.values) : [])
        }
        for task in over { task.cancel() }
    }

    /// The list of versions changed. Returns when those that stay have all that those have which are taken off; after
    /// ``Limits/replyTimeout`` at the latest: that the others go was decided elsewhere, and they may have to, as they fail.
    ///
    /// - Parameter settled: when everything is done that clients asked for by an older list. Where that had one version,
    ///   their writes have no tickets, and a copy could be made in the middle of one.
    func update(_ table: VersionTable, settled: EventLoopFuture<Void>) async {
        let deadline = ContinuousClock.now + limits.replyTimeout
        var isFirst = writes.update(table, evenIfShort: false)
        while isFirst == nil {
            try? await Task.sleep(for: Self.watchInterval)
            isFirst = writes.update(table, evenIfShort: ContinuousClock.now >= deadline)
        }
        tasks.withLock { $0.settled = settled }
        end { !table.versions.contains($0) || table.versions.count < 2 }
        await endReplays(table)
        defer { startReplays(table) }
        if isFirst == true {
            guard let lacking = writes.takeOver() else {
                return tasks.withLock { tasks in
                    tasks.pending = table
                    tasks.takingOver = Task { await self.takeOver() }
                }
            }
            for mending in lacking { start(mending) }
        }
        let isPending = tasks.withLock { tasks in
            guard tasks.pending != nil else { return false }
            tasks.pending = table
            return true
        }
        if !isPending { begin(table, isFirst: isFirst == true) }
    }

    private func takeOver() async {
        var lacking: [WriteCoordinator.Mending]?
        while lacking == nil {
            // Only the end of this proxy cuts it short.
            try? await Task.sleep(for: Self.takeOverInterval)
            if Task.isCancelled { return }
            lacking = writes.takeOver()
        }
        for mending in lacking ?? [] { start(mending) }
        let table = tasks.withLock { tasks in
            defer { tasks.pending = nil }
            return tasks.pending
        }
        if let table { begin(table, isFirst: true) }
        writes.settle()
    }

    private func begin(_ table: VersionTable, isFirst: Bool) {
        guard access.copiesKeys, table.versions.count > 1 else { return }
        let truth = writes.truth
        for version in table.versions where tasks.withLock({ $0.watching[version] == nil }) {
            // What an earlier proxy left unfinished, or nobody did yet to a version that is filled, is not known.
            if isFirst ? version != truth : table.versions.role(of: version) == .filling { writes.distrust(version) }
            let task = Task { await self.watch(version) }
            tasks.withLock { $0.watching[version] = task }
        }
    }

    // MARK: Versions that go down

    /// A version that was started again may have forgotten what it acknowledged last.
    private func watch(_ version: Version) async {
        var delay = Self.retryDelays.first
        while !Task.isCancelled, let end = writes.end(of: version) {
            do {
                try await access.watch(end) {
                    tasks.withLock { if !Task.isCancelled { $0.watched[version] = end } }
                }
                delay = Self.retryDelays.first
            } catch {
                delay = min(delay * 2, Self.retryDelays.last)
            }
            guard !Task.isCancelled else { return }
            tasks.withLock { $0.watched[version] = nil }
            guard writes.end(of: version) == end else { continue }
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
                var refused = try await access.replay(missed, to: end) {
                    try writes.begin(end.version, missed, through: through)
                }
                if refused > 0, access.copiesKeys {
                    if let names = keys.names { try await copy(names, to: end) } else { writes.distrust(end.version) }
                    refused = 0
                }
                writes.done(end.version, through: through, refused: refused)
            }
        case .copy(let keys, let through):
            try await holding(Keys(keys)) {
                try await copy(keys, to: end)
                writes.done(end.version, through: through, refused: 0)
            }
        case .everything: try await compareEverything(end)
        }
    }

    /// Copies keys, whose ticket the caller holds, from the version whose word about them counts.
    func copy(_ keys: [ByteBuffer], to end: VersionEnd) async throws {
        guard let source = writes.authority(for: end.version, in: Keys(keys)) else { throw noAuthority(end.version) }
        try await access.copy(keys, from: source, to: end)
        writes.copied(keys, to: end.version, differing: keys.count)
    }

    func noAuthority(_ version: Version) -> ProxyError {
        ProxyError(
            .noVersion, "no other version is complete that version \(version) could be compared with", side: .version,
            isRetrySafe: true)
    }

    /// Compares all keys of a version, and copies those that differ.
    private func compareEverything(_ end: VersionEnd) async throws {
        try await tasks.withLock { $0.settled }?.get()
        guard let source = writes.authority(for: end.version) else { throw noAuthority(end.version) }
        try await access.probe(end)
        try await waitUntilWatched(end)
        let lacking = writes.beginVerifying(end.version, with: source.version)
        do {
            // At a low rate few at a time, rather than many and then none for long.
            let step =
                self.limits.copiedKeysPerSecond.map { max(1, min($0 / 10, self.limits.copiedKeysMax)) }
                ?? self.limits.copiedKeysMax
            let visit: @Sendable ([ByteBuffer]) async throws -> Void = { page in
                for start in stride(from: 0, to: page.count, by: step) {
                    let chunk = Array(page[start..<min(start + step, page.count)])
                    try await self.keepPace(chunk.count)
                    try await self.compare(chunk, end)
                    try await self.drain(end)
                }
            }
            for side in [source, end] { try await access.visitKeys(of: side, visit) }
            // These, only another version has.
            try await visit(lacking)
            guard writes.authority(for: end.version) == source else { throw noAuthority(end.version) }
        } catch {
            // In this order: at no time it counts as equal.
            writes.distrust(end.version)
            writes.endVerifying(end.version)
            throw error
        }
        writes.endVerifying(end.version)
    }

    /// Waits until so many keys may be compared.
    private func keepPace(_ count: Int) async throws {
        let delay = pace.withLock { $0.take(records: count, at: ContinuousClock.now - started) }
        if delay > .zero { try await Task.sleep(for: delay) }
    }

    /// Only of a version that is watched it is known that it is the same when it was compared.
    private func waitUntilWatched(_ end: VersionEnd) async throws {
        let deadline = ContinuousClock.now + limits.connectTimeout
        while tasks.withLock({ $0.watched[end.version] }) != end {
            guard ContinuousClock.now < deadline else {
                throw ProxyError(
                    .noVersion, "version \(end.version) takes no second connection", side: .version, isRetrySafe: true)
            }
            try await Task.sleep(for: Self.watchInterval)
        }
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

    private func compare(_ keys: [ByteBuffer], _ target: VersionEnd) async throws {
        try Task.checkCancellation()
        try await holding(Keys(keys)) {
            // The one whose keys are listed may lack some of them at this moment.
            guard let source = writes.authority(for: target.version, in: Keys(keys)) else {
                throw noAuthority(target.version)
            }
            let differing = try await access.differing(keys, source, target)
            if !differing.isEmpty { try await access.copy(differing, from: source, to: target) }
            writes.copied(keys, to: target.version, differing: differing.count)
        }
    }

    /// Runs `body` while nobody else writes to these keys.
    func holding(_ keys: Keys, _ body: () async throws -> Void) async throws {
        let ticket = WriteOrder.Ticket(owner: writes.newOwner(), number: 0)
        await withCheckedContinuation { continuation in
            if writes.order(ticket, KeyMarks(keys), isOwn: true, whenGranted: { { continuation.resume() } }) {
                continuation.resume()
            }
        }
        defer { writes.finish(ticket) }
        try await body()
    }
}
