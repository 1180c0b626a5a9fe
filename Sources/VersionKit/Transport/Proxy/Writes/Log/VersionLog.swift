import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy

/// One version's catch-up log: when all writes in the first file are done, it is removed, and when the version is up to
/// date, all are. Not thread-safe.
struct VersionLog {
    private let limits: Limits
    private var files: LogFiles
    /// The last missed write that is in the log.
    private var lastKept: UInt64 = 0
    /// Whether it says that all keys have to be compared.
    private var isMarked = false
    /// Whether it says that all keys have to be compared later.
    private var isDoubted = false
    /// Single keys that the version lacks, by the number that whoever copies them knows, and the number of the record.
    private var lacking: [UInt64: (keys: Keys, sequence: UInt64)] = [:]
    /// The bytes of all files when only what the version lacked was in them.
    private var bytesRestated = 0
    /// Why the last record could not be written.
    private(set) var failure: SystemError?

    init(directory: String, version: Version, limits: Limits) {
        self.limits = limits
        files = LogFiles(
            .missed, of: version, in: directory, limits: limits, bytesMax: limits.catchUpLogBytesMax)
    }

    // MARK: Reading

    /// What the files say.
    mutating func recover() -> CatchUpRecovery {
        var recovery = CatchUpRecovery(limits: limits)
        for index in files.indices {
            do {
                try files.read(index) { recovery.add($0) }
            } catch {
                recovery.noteDamage("\(error)")
            }
        }
        lastKept = recovery.lastSequence
        isMarked = recovery.needsEverything
        isDoubted = recovery.isDoubted
        for (sequence, keys) in recovery.lacking { lacking[sequence] = (keys, sequence) }
        return recovery
    }

    // MARK: Writing

    /// Runs `body`, and notes how it went.
    mutating func attempt(_ body: (inout VersionLog) throws(SystemError) -> Void) -> Bool {
        do throws(SystemError) {
            try body(&self)
            failure = nil
            return true
        } catch {
            failure = error
            return false
        }
    }

    mutating func keep(_ queue: CatchUpQueue) throws(SystemError) {
        if queue.copiesKeys {
            // Whatever it missed, a proxy that is started anew compares it.
            guard !isMarked else { return }
            try files.append(.everything, 0)
            isMarked = true
        } else {
            for (sequence, write) in queue.missed(after: lastKept) {
                try files.append(.missed(write, sequence: sequence), sequence)
                lastKept = sequence
            }
        }
    }

    mutating func note(_ record: CatchUpRecord) throws(SystemError) {
        // Of what is not in the log, it need not say that it is done.
        guard files.count > 0 else { return }
        guard case .done(let through) = record else { return try files.append(record, 0) }
        do throws(SystemError) {
            try files.append(record, 0)
            files.removeFiles(through)
        } catch {
            files.removeFiles(through)
            // There may be room now.
            try files.append(record, 0)
        }
    }

    /// The version lacks single keys, which are copied to it while it takes writes.
    ///
    /// - Returns: the number under which ``copied(_:)`` says that they are.
    mutating func lacks(_ keys: Keys) throws(SystemError) -> UInt64 {
        // Whoever reads more than that takes the log for damaged.
        guard lacking.count < limits.catchUpEntriesMax else {
            throw SystemError("write down more keys that version \(files.version) lacks", code: ENOSPC)
        }
        if files.bytes > max(limits.catchUpFileBytesMax, 2 * bytesRestated) {
            try restate(isMarked: isMarked, isDoubted: isDoubted)
        }
        let sequence = try writeLack(keys)
        lacking[sequence] = (keys, sequence)
        return sequence
    }

    private mutating func writeLack(_ keys: Keys) throws(SystemError) -> UInt64 {
        let sequence = lastKept + 1
        try files.append(.missed(MissedWrite(keys, .copy), sequence: sequence), sequence)
        lastKept = sequence
        return sequence
    }

    /// Keys were copied.
    mutating func copied(_ number: UInt64) throws(SystemError) {
        guard let sequence = lacking.removeValue(forKey: number)?.sequence else { return }
        try files.append(.copied(sequence: sequence), 0)
    }

    /// The version was compared with the others, and lacks nothing any more but these.
    mutating func compared(lacking numbers: Set<UInt64>) throws(SystemError) {
        guard isMarked || isDoubted else { return }
        lacking = lacking.filter { numbers.contains($0.key) }
        try restate(isMarked: false, isDoubted: false)
    }

    /// All keys have to be compared, but not yet.
    mutating func doubt() throws(SystemError) {
        guard !isDoubted else { return }
        try files.append(.doubted, 0)
        isDoubted = true
    }

    /// Writes down in a new file what the version lacks, and removes those before it: at any time one of them is whole.
    private mutating func restate(isMarked: Bool, isDoubted: Bool) throws(SystemError) {
        let older = files.count
        try files.openNext()
        if isMarked { try files.append(.everything, 0) }
        if isDoubted { try files.append(.doubted, 0) }
        for (number, lack) in lacking.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            let sequence = try writeLack(lack.keys)
            lacking[number]?.sequence = sequence
        }
        for _ in 0..<older { files.removeFirst() }
        (self.isMarked, self.isDoubted) = (isMarked, isDoubted)
        bytesRestated = files.bytes
    }

    // MARK: Files

    var needsSync: Bool { files.needsSync }
    mutating func remove() { files.remove() }
    mutating func close() { files.close() }
    mutating func takeUnsynced() -> [Int32] { files.takeUnsynced() }
}
