import Glibc
import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy

/// The files of one version's log: `VERSION.NUMBER.KIND`, to the last of which records are added.
///
/// Nothing is ever written again: files are only appended to, and removed whole. Not thread-safe.
struct LogFiles {
    /// What logs are for, as the names of their files say.
    enum Kind: String {
        /// What a version missed that is brought up to date as soon as it can be.
        case missed
        /// What a version that does not run gets when it is gone back to.
        case logged
    }

    private struct File {
        var number: UInt64
        var lastSequence: UInt64 = 0
        var bytes = 0
    }

    let directory: String
    let version: Version
    private let kind: Kind
    private let limits: Limits
    /// Bytes of all files that missed writes may take.
    private let bytesMax: Int
    private var files: [File]
    /// The last file, or -1 before something is written.
    private var descriptor: Int32 = -1
    /// Files that are not on the disk yet and not written to any more.
    private var unsynced: [Int32] = []
    private(set) var needsSync = false

    init(_ kind: Kind, of version: Version, in directory: String, limits: Limits, bytesMax: Int) {
        self.kind = kind
        self.directory = directory
        self.version = version
        self.limits = limits
        self.bytesMax = bytesMax
        files = Self.list(kind, in: directory).filter { $0.version == version }.map { File(number: $0.number) }
            .sorted { $0.number < $1.number }
    }

    /// The files of all versions' logs in a directory; none, if it cannot be read.
    static func list(_ kind: Kind, in directory: String) -> [(version: Version, number: UInt64)] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var found: [(version: Version, number: UInt64)] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2] == kind.rawValue, let version = Version(String(parts[0])),
                let number = UInt64(parts[1])
            else { continue }
            found.append((version, number))
        }
        return found
    }

    static func path(_ kind: Kind, of version: Version, _ number: UInt64, in directory: String) -> String {
        "\(directory)/\(version).\(number).\(kind.rawValue)"
    }

    private func path(_ file: File) -> String { Self.path(kind, of: version, file.number, in: directory) }

    var indices: Range<Int> { files.indices }
    var count: Int { files.count }
    var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

    // MARK: Reading

    /// Reads a file's records to their end, as far as they are whole: what is torn at the end was never counted on.
    ///
    /// - Throws: with the file's name, if it cannot be read or is damaged.
    mutating func read(_ index: Int, _ visit: (CatchUpRecord) -> Void) throws {
        let path = path(files[index])
        var reader = try LogReader(path, limits: limits)
        defer { reader.close() }
        do {
            while try reader.readMore() {
                files[index].bytes = reader.bytes
                guard reader.bytes <= bytesMax else { throw SystemError("read \(path)", code: EFBIG) }
                while let record = try reader.next() {
                    if case .missed(_, let sequence) = record { files[index].lastSequence = sequence }
                    visit(record)
                }
            }
        } catch let error as CatchUpLogError {
            throw DamagedLogError(path: path, reason: error)
        }
    }

    // MARK: Writing

    /// Makes a first file without a record, so that a log which is not there can be told from an empty one.
    mutating func begin() throws(SystemError) {
        try openNext()
        try writeAll(ByteBuffer(bytes: CatchUpLogDecoder.prologue))
        files[files.count - 1].bytes = CatchUpLogDecoder.prologue.count
        needsSync = true
    }

    mutating func append(_ record: CatchUpRecord, _ sequence: UInt64) throws(SystemError) {
        if descriptor < 0 || (files.last?.bytes ?? 0) >= limits.catchUpFileBytesMax { try openNext() }
        let last = files.count - 1
        var bytes = ByteBuffer()
        if files[last].bytes == 0 { bytes.writeBytes(CatchUpLogDecoder.prologue) }
        record.encode(into: &bytes)
        // What is sent and done is noted even then: it is short, and the log shrinks by it.
        if case .missed = record {
            let sum = self.bytes + bytes.readableBytes
            guard bytes.readableBytes <= limits.catchUpRecordBytesMax, sum <= bytesMax else {
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

    mutating func openNext() throws(SystemError) {
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
    mutating func removeFiles(_ through: UInt64) {
        while files.count > 1, descriptor >= 0, files[0].lastSequence <= through { removeFirst() }
    }

    mutating func removeFirst() {
        // One that stays says what is done already: its numbers are smaller.
        unlink(path(files.removeFirst()))
    }

    /// Removes all files, the first one first: the last one says what of the others is done.
    mutating func remove() {
        while !files.isEmpty { removeFirst() }
        close()
    }

    /// Cuts everything out of the first file: it can be told from a log that is whole, and takes no room.
    mutating func empty() {
        guard let first = files.first else { return }
        truncate(path(first), 0)
        while files.count > 1 { unlink(path(files.removeLast())) }
        files[0].bytes = 0
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

/// A file of a log is not as it was written.
struct DamagedLogError: Error, CustomStringConvertible {
    let path: String
    let reason: CatchUpLogError

    var description: String { "\(path): \(reason)" }
}
