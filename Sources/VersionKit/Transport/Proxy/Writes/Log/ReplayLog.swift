import Glibc
import NIOCore
package import VersionKitModel
import VersionKitProcesses
import VersionKitProxy

/// The log for a version that does not run and may be gone back to: every write that it would have done, in order.
///
/// Nothing in it is ever done with: a replay begins with the first write. Not thread-safe.
struct ReplayLog {
    private var files: LogFiles

    private init(_ version: Version, in directory: String, limits: Limits) {
        files = LogFiles(.logged, of: version, in: directory, limits: limits, bytesMax: limits.replayLogBytesMax)
    }

    /// The versions that have such a log in a directory.
    static func versions(in directory: String) -> Set<Version> {
        Set(LogFiles.list(.logged, in: directory).map(\.version))
    }

    /// Begins a version's log, in place of any other one. Whoever says that writes are to be logged does it before that: so a
    /// log that is not there can be told from one without a write.
    static func begin(_ version: Version, in directory: String) throws(SystemError) {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw SystemError("make the directory \(directory)")
        }
        remove(version, in: directory)
        var log = ReplayLog(version, in: directory, limits: .standard)
        defer { log.close() }
        try log.files.begin()
    }

    /// Goes on with a version's log.
    ///
    /// - Returns: the log, and what it holds; `failure` says why it is of no use.
    static func open(
        _ version: Version, in directory: String, limits: Limits
    ) -> (log: ReplayLog, writes: UInt64, failure: String?) {
        var log = ReplayLog(version, in: directory, limits: limits)
        do {
            return (log, try log.scan(), nil)
        } catch {
            return (log, 0, "\(error)")
        }
    }

    /// How many writes it holds.
    private mutating func scan() throws -> UInt64 {
        var last: UInt64 = 0
        var isWhole = true
        for index in files.indices {
            try files.read(index) { record in
                guard case .missed(_, last + 1) = record else { return isWhole = false }
                last += 1
            }
        }
        guard isWhole, files.bytes > 0 else { throw ReplayLogError.incomplete }
        return last
    }

    var bytes: UInt64 { UInt64(files.bytes) }

    /// Adds a write.
    mutating func append(_ write: MissedWrite, sequence: UInt64) throws(SystemError) {
        try files.append(.missed(write, sequence: sequence), sequence)
    }

    /// A write is not in it: also a proxy that is started anew has to know that it is of no use, whatever the disk takes.
    mutating func fail() { files.empty() }

    /// Removes a version's log.
    static func remove(_ version: Version, in directory: String) {
        var log = ReplayLog(version, in: directory, limits: .standard)
        log.files.remove()
    }

    mutating func close() { files.close() }
    var needsSync: Bool { files.needsSync }
    mutating func takeUnsynced() -> [Int32] { files.takeUnsynced() }
}

/// Why a log cannot be replayed.
enum ReplayLogError: Error, CustomStringConvertible {
    /// Writes are missing in it.
    case incomplete

    var description: String { "the log does not have all writes" }
}

/// The logs for versions that do not run, as versiond has to do with them.
package enum ReplayLogs {
    /// Begins a version's log in the directory of its application's proxies.
    package static func begin(_ version: Version, in directory: String) throws {
        try ReplayLog.begin(version, in: directory)
    }
}

/// Reads a version's log from its first write on, while it is added to.
final class ReplayLogReader {
    private let directory: String
    private let version: Version
    private let limits: Limits
    private var number: UInt64 = 0
    private var reader: LogReader?

    init(_ version: Version, in directory: String, limits: Limits) {
        self.directory = directory
        self.version = version
        self.limits = limits
    }

    deinit { reader?.close() }

    /// The next writes, all of which are in the log already.
    ///
    /// - Parameters:
    ///   - countMax: how many there are, or fewer.
    ///   - bytesMax: how much they may take, but for the last one.
    func next(_ countMax: Int, bytesMax: Int) throws -> [MissedWrite] {
        var writes: [MissedWrite] = []
        var bytes = 0
        while writes.count < countMax, bytes < bytesMax {
            if let record = try reader?.next() {
                guard case .missed(let write, _) = record else { throw ReplayLogError.incomplete }
                writes.append(write)
                bytes += write.size
            } else if try reader?.readMore() != true {
                try openNext()
            }
        }
        return writes
    }

    private func openNext() throws {
        let numbers = LogFiles.list(.logged, in: directory).filter { $0.version == version }.map(\.number)
        guard let next = numbers.filter({ $0 > number }).min() else { throw ReplayLogError.incomplete }
        reader?.close()
        reader = nil
        reader = try LogReader(LogFiles.path(.logged, of: version, next, in: directory), limits: limits)
        number = next
    }
}
