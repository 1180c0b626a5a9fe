import Glibc
import NIOCore
import NIOPosix
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy

/// The directory in which a proxy keeps what versions miss, so that it is known after the proxy was killed.
///
/// One process owns it at a time; a newer proxy gets it when the older one has ended, however that came about. Records
/// are with the kernel before a client hears of its write, which outlives the process, not the machine: for that they are
/// brought to the disk once in a ``syncInterval``, all together.
///
/// A disk that takes nothing is no reason to end: it is noted, and tried again with whatever comes next.
///
/// Thread-safe. Writes to files, which can take a moment where memory is short.
final class CatchUpStore: Sendable {
    /// How long a record may be with the kernel only: what the loss of power can cost.
    static let syncInterval = Duration.seconds(1)

    private let directory: String
    private let limits: Limits
    private let state = Mutex(State())

    private struct State {
        /// Holds the lock as long as it is open; -1: it is not ours.
        var lock: Int32 = -1
        var logs: [Version: VersionLog] = [:]
        /// Those for versions that do not run.
        var replays: [Version: ReplayLog] = [:]
        /// Why the directory cannot be used.
        var failure: SystemError?
        /// How often something could not be written.
        var unkept: [Version: UInt64] = [:]
        var isSyncing = false
    }

    init(directory: String, limits: Limits) {
        self.directory = directory
        self.limits = limits
    }

    deinit { release() }

    // MARK: Whose it is

    /// Takes the directory, which is made if it is not there.
    ///
    /// - Returns: `false` if another process has it.
    /// - Throws: ``SystemError`` if it cannot be used; also what needs it then fails until it can be taken.
    func acquire() throws(SystemError) -> Bool {
        try state.withLock { state throws(SystemError) in
            guard state.lock < 0 else { return true }
            do throws(SystemError) {
                state.lock = try Self.lock(directory)
                state.failure = nil
                return state.lock >= 0
            } catch {
                state.failure = error
                throw error
            }
        }
    }

    /// As ``acquire()``, if the directory could not be used when it was needed.
    func acquireIfFailed() {
        guard state.withLock({ $0.failure != nil }) else { return }
        // That it fails again is noted already.
        _ = try? acquire()
    }

    private static func lock(_ directory: String) throws(SystemError) -> Int32 {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw SystemError("make the directory \(directory)")
        }
        let descriptor = open(directory + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("open \(directory)/lock") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError("lock \(directory)")
            close(descriptor)
            guard error.code == EWOULDBLOCK else { throw error }
            return -1
        }
        return descriptor
    }

    /// Gives the directory to whoever waits for it, as it is.
    func release() {
        state.withLock { state in
            for version in state.logs.keys { state.logs[version]?.close() }
            for version in state.replays.keys { state.replays[version]?.close() }
            (state.logs, state.replays) = ([:], [:])
            if state.lock >= 0 { Glibc.close(state.lock) }
            state.lock = -1
        }
    }

    // MARK: What is in it

    /// The versions that have a log there, whosever it is.
    var versions: Set<Version> { Set(LogFiles.list(.missed, in: directory).map(\.version)) }

    /// Reads a version's log. What is missed from now on is added to it.
    func recover(_ version: Version) -> CatchUpRecovery {
        state.withLock { state in
            var log = VersionLog(directory: directory, version: version, limits: limits)
            let recovery = log.recover()
            state.logs[version] = log
            return recovery
        }
    }

    /// Reads a version's log, whosever it is.
    func peek(_ version: Version) -> CatchUpRecovery {
        var log = VersionLog(directory: directory, version: version, limits: limits)
        return log.recover()
    }

    /// Writes down whatever of a queue is not written down.
    ///
    /// - Returns: whether all of it is.
    func keep(_ queue: CatchUpQueue, of version: Version) -> Bool {
        write(version) { log throws(SystemError) in try log.keep(queue) }
    }

    /// Writes down that writes are being sent, or are done.
    ///
    /// - Returns: whether it is written down.
    func note(_ record: CatchUpRecord, of version: Version) -> Bool {
        write(version) { log throws(SystemError) in try log.note(record) }
    }

    /// Writes down that a version lacks single keys.
    ///
    /// - Returns: the number under which ``copied(_:to:)`` knows them; `nil`: they could not be written down.
    func lacks(_ keys: Keys, _ version: Version) -> UInt64? {
        var number: UInt64?
        _ = write(version) { log throws(SystemError) in number = try log.lacks(keys) }
        return number
    }

    /// Writes down that a version is compared with the others later.
    func doubt(_ version: Version) { _ = write(version) { log throws(SystemError) in try log.doubt() } }

    /// Single keys were copied to a version.
    func copied(_ number: UInt64, to version: Version) {
        _ = write(version) { log throws(SystemError) in try log.copied(number) }
    }

    /// A version was compared with the others as a whole, and lacks these keys only.
    func compared(_ version: Version, lacking numbers: Set<UInt64>) {
        _ = write(version) { log throws(SystemError) in try log.compared(lacking: numbers) }
    }

    private func write(_ version: Version, _ body: (inout VersionLog) throws(SystemError) -> Void) -> Bool {
        state.withLock { state in
            guard state.lock >= 0 else {
                state.unkept[version, default: 0] += 1
                return false
            }
            var log = state.logs[version] ?? VersionLog(directory: directory, version: version, limits: limits)
            let isKept = log.attempt(body)
            if !isKept { state.unkept[version, default: 0] += 1 }
            state.logs[version] = log
            if log.needsSync { syncLater(&state) }
            return isKept
        }
    }

    private func syncLater(_ state: inout State) {
        guard !state.isSyncing else { return }
        state.isSyncing = true
        Task { [weak self] in
            // It is only ever cancelled with the process.
            try? await Task.sleep(for: Self.syncInterval)
            await self?.sync()
        }
    }

    /// Forgets what a version missed: it is up to date, or gone.
    func remove(_ version: Version) {
        state.withLock { state in
            guard state.lock >= 0 else { return }
            // Files of versions that were never asked for are removed, too.
            var log =
                state.logs.removeValue(forKey: version)
                ?? VersionLog(directory: directory, version: version, limits: limits)
            log.remove()
        }
    }

    /// Versions of which something is not written down, and why; and how often that happened.
    var troubles: (reasons: [Version: String], directory: String?, unkept: [Version: UInt64]) {
        state.withLock { state in
            (
                state.logs.compactMapValues { $0.failure.map { "\($0)" } }, state.failure.map { "\($0)" }, state.unkept
            )
        }
    }

    /// Whether what a version misses can be written down, as far as is known.
    var isSound: Bool {
        state.withLock { state in state.failure == nil && state.logs.values.allSatisfy { $0.failure == nil } }
    }

    // MARK: Versions that do not run

    /// The versions that have a log for a replay.
    var replayVersions: Set<Version> { ReplayLog.versions(in: directory) }

    /// Goes on with the log for a version that does not run.
    func openReplay(of version: Version, as role: VersionList.Role) -> ReplayState {
        state.withLock { state in
            guard state.lock >= 0 else {
                return ReplayState(role: role, failure: "there is no log: \(directory) cannot be used")
            }
            let (log, writes, failure) = ReplayLog.open(version, in: directory, limits: limits)
            state.replays[version] = log
            if log.needsSync { syncLater(&state) }
            return ReplayState(role: role, logged: writes, bytes: log.bytes, failure: failure)
        }
    }

    /// Adds a write to such a log.
    ///
    /// - Returns: the log's bytes.
    func log(_ write: MissedWrite, sequence: UInt64, for version: Version) throws(SystemError) -> UInt64 {
        try state.withLock { state throws(SystemError) in
            guard var log = state.replays.removeValue(forKey: version) else {
                throw SystemError("write to a log that is not open", code: EBADF)
            }
            defer { state.replays[version] = log }
            try log.append(write, sequence: sequence)
            if log.needsSync { syncLater(&state) }
            return log.bytes
        }
    }

    /// Such a log is of no use any more, and says so from here on.
    func failReplay(of version: Version) { state.withLock { $0.replays[version]?.fail() } }

    /// Removes such a log.
    func removeReplay(of version: Version) {
        state.withLock { state in
            guard state.lock >= 0 else { return }
            state.replays[version]?.close()
            state.replays[version] = nil
            ReplayLog.remove(version, in: directory)
        }
    }

    /// Reads such a log from its beginning.
    func replayReader(of version: Version) -> ReplayLogReader {
        ReplayLogReader(version, in: directory, limits: limits)
    }

    // MARK: The loss of power

    private func sync() async {
        let descriptors = state.withLock { state in
            state.isSyncing = false
            return state.logs.keys.flatMap { state.logs[$0]?.takeUnsynced() ?? [] }
                + state.replays.keys.flatMap { state.replays[$0]?.takeUnsynced() ?? [] }
        }
        let directory = directory
        // Without the pool the process ends, and with it the wish.
        try? await NIOThreadPool.singleton.runIfActive {
            let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            for descriptor in descriptors + (folder >= 0 ? [folder] : []) {
                // A disk that fails here fails the next write, too, or the reader: there is nobody to tell yet.
                fsync(descriptor)
                close(descriptor)
            }
        }
    }
}
