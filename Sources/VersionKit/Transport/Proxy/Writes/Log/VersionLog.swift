import Glibc
import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy

/// One version's catch-up log: files `VERSION.NUMBER.missed`, to the last of which records are added.
///
/// Nothing is ever written again: when all writes in the first file are done, it is removed, and when the version is up
/// to date, all are. Not thread-safe.
struct VersionLog {
    private struct File {
        var number: UInt64
        var lastSequence: UInt64 = 0
        var bytes = 0
    }

    private let directory: String
    private let version: Version
    private let limits: Limits
    private var files: [File]
    /// The last file, or -1 before something is written.
    private var descriptor: Int32 = -1
    /// Files that are not on the disk yet and not written to any more.
    private var unsynced: [Int32] = []
    private(set) var needsSync = false
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
        self.directory = directory
        self.version = version
        self.limits = limits
        files = Self.files(in: directory).filter { $0.version == version }.map { File(number: $0.number) }
            .sorted { $0.number < $1.number }
    }

    private func path(_ file: File) -> String { "\(directory)/\(version).\(file.number).missed" }

    /// The files of all versions' logs in a directory; none, if it cannot be read.
    static func files(in directory: String) -> [(version: Version, number: UInt64)] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var found: [(version: Version, number: UInt64)] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2] == "missed", let version = Version(String(parts[0])),
                let number = UInt64(parts[1])
            else { continue }
            found.append((version, number))
        }
        return found
    }

    // MARK: Reading

    /// What the files say.
    mutating func recover() -> CatchUpRecovery {
        var recovery = CatchUpRecovery(limits: limits)
        for index in files.indices {
            do {
                try read(&files[index], into: &recovery)
            } catch {
                recovery.noteDamage("\(path(files[index])): \(error)")
            }
        }
        lastKept = recovery.lastSequence
        isMarked = recovery.needsEverything
        isDoubted = recovery.isDoubted
        for (sequence, keys) in recovery.lacking { lacking[sequence] = (keys, sequence) }
        return recovery
    }

    private func read(_ file: inout File, into recovery: inout CatchUpRecovery) throws {
        let path = path(file)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
        defer { Glibc.close(descriptor) }
        var decoder = CatchUpLogDecoder(limits: limits)
        while true {
            var chunk = ByteBuffer()
            let count = try chunk.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 20) { room in
                let count = Glibc.read(descriptor, room.baseAddress, room.count)
                guard count >= 0 else { throw SystemError("read \(path)") }
                return count
            }
            // What is torn at the end was never counted on.
            guard count > 0 else { return }
            file.bytes += count
            guard file.bytes <= limits.catchUpLogBytesMax else { throw SystemError("read \(path)", code: EFBIG) }
            decoder.append(chunk)
            while let record = try decoder.next() {
                if case .missed(_, let sequence) = record { file.lastSequence = sequence }
                recovery.add(record)
            }
        }
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
            try append(.everything, 0)
            isMarked = true
        } else {
            for (sequence, write) in queue.missed(after: lastKept) {
                try append(.missed(write, sequence: sequence), sequence)
                lastKept = sequence
            }
        }
    }

    mutating func note(_ record: CatchUpRecord) throws(SystemError) {
        // Of what is not in the log, it need not say that it is done.
        guard !files.isEmpty else { return }
        guard case .done(let through) = record else { return try append(record, 0) }
        do throws(SystemError) {
            try append(record, 0)
            removeFiles(through)
        } catch {
            removeFiles(through)
            // There may be room now.
            try append(record, 0)
        }
    }

    /// The version lacks single keys, which are copied to it while it takes writes.
    ///
    /// - Returns: the number under which ``copied(_:)`` says that they are.
    mutating func lacks(_ keys: Keys) throws(SystemError) -> UInt64 {
        // Whoever reads more than that takes the log for damaged.
        guard lacking.count < limits.catchUpEntriesMax else {
            throw SystemError("write down more keys that version \(version) lacks", code: ENOSPC)
        }
        if bytes > max(limits.catchUpFileBytesMax, 2 * bytesRestated) {
            try restate(isMarked: isMarked, isDoubted: isDoubted)
        }
        let sequence = try writeLack(keys)
        lacking[sequence] = (keys, sequence)
        return sequence
    }

    private mutating func writeLack(_ keys: Keys) throws(SystemError) -> UInt64 {
        let sequence = lastKept + 1
        try append(.missed(MissedWrite(keys, .copy), sequence: sequence), sequence)
        lastKept = sequence
        return sequence
    }

    /// Keys were copied.
    mutating func copied(_ number: UInt64) throws(SystemError) {
        guard let sequence = lacking.removeValue(forKey: number)?.sequence else { return }
        try append(.copied(sequence: sequence), 0)
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
        try append(.doubted, 0)
        isDoubted = true
    }

    /// Writes down in a new file what the version lacks, and removes those before it: at any time one of them is whole.
    private mutating func restate(isMarked: Bool, isDoubted: Bool) throws(SystemError) {
        let older = files.count
        try openNext()
        if isMarked { try append(.everything, 0) }
        if isDoubted { try append(.doubted, 0) }
        for (number, lack) in lacking.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            let sequence = try writeLack(lack.keys)
            lacking[number]?.sequence = sequence
        }
        for _ in 0..<older { removeFirst() }
        (self.isMarked, self.isDoubted) = (isMarked, isDoubted)
        bytesRestated = bytes
    }

    private var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

    private mutating func append(_ record: CatchUpRecord, _ sequence: UInt64) throws(SystemError) {
        if descriptor < 0 || (files.last?.bytes ?? 0) >= limits.catchUpFileBytesMax { try openNext() }
        let last = files.count - 1
        var bytes = ByteBuffer()
        if files[last].bytes == 0 { bytes.writeBytes(CatchUpLogDecoder.prologue) }
        record.encode(into: &bytes)
        // What is sent and done is noted even then: it is short, and the log shrinks by it.
        if case .missed = record {
            let sum = self.bytes + bytes.readableBytes
            guard bytes.readableBytes <= limits.catchUpRecordBytesMax, sum <= limits.catchUpLogBytesMax else {
                throw SystemError("write \(path(files[last])), whose bytes are limited", code: ENOSPC)
            }
        }
        do throws(SystemError) {
            try writeAll(bytes)
        } catch {
            // Half a record would hide those after it. If it cannot be cut off, a new file follows.
            if ftruncate(descriptor, off_t(files[last].bytes)) != 0 { retireDescriptor() }
            throw error
        }
        files[last].bytes += bytes.readableBytes
        files[last].lastSequence = max(files[last].lastSequence, sequence)
        needsSync = true
    }

    private func writeAll(_ bytes: ByteBuffer) throws(SystemError) {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                throw SystemError("write \(directory)/\(version)", code: count == 0 ? ENOSPC : nil)
            }
            rest.moveReaderIndex(forwardBy: count)
        }
    }

    private mutating func openNext() throws(SystemError) {
        let file = File(number: (files.last?.number ?? 0) + 1)
        let opened = open(path(file), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw SystemError("open \(path(file))") }
        retireDescriptor()
        files.append(file)
        descriptor = opened
    }

    private mutating func retireDescriptor() {
        if descriptor >= 0 { unsynced.append(descriptor) }
        descriptor = -1
    }

    // MARK: Removing

    /// Removes the files all of whose writes are done; the last one stays, since it is written to.
    private mutating func removeFiles(_ through: UInt64) {
        while files.count > 1, descriptor >= 0, files[0].lastSequence <= through { removeFirst() }
    }

    private mutating func removeFirst() {
        // One that stays says what is done already: its numbers are smaller.
        unlink(path(files.removeFirst()))
    }

    /// Removes all files, the first one first: the last one says what of the others is done.
    mutating func remove() {
        while !files.isEmpty { removeFirst() }
        close()
    }

    mutating func close() {
        retireDescriptor()
        for descriptor in unsynced { Glibc.close(descriptor) }
        unsynced = []
    }

    /// Descriptors of what is to be brought to the disk, for the caller to close.
    mutating func takeUnsynced() -> [Int32] {
        guard needsSync else { return [] }
        needsSync = false
        defer { unsynced = [] }
        let current = descriptor >= 0 ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : -1
        return unsynced + (current >= 0 ? [current] : [])
    }
}
