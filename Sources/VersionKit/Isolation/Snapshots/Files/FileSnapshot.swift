import Glibc
import VersionKitProcesses
import VersionKitReleases

/// Files of an environment as they were at one moment: the quickest copy that the file system has.
package enum FileSnapshot {
    /// How files were copied.
    package enum Method: String, Sendable, Hashable, Codable {
        /// A subvolume of btrfs at one stroke, whatever is in it.
        case subvolume
        /// File by file, all of which share their bytes with the original (btrfs, xfs).
        case reflink
        /// File by file, with their bytes.
        case copy
    }

    /// What it cost.
    package struct Figures: Sendable, Hashable {
        /// How it was done.
        package var method: Method
        /// What the copy takes on the disk, bytes that it shares included.
        package var bytes: UInt64
        /// For how long the environment stood still.
        package var pause: Duration
        /// From the beginning to the end.
        package var total: Duration

        /// The same for whoever asked for a snapshot.
        package var report: SnapshotReport { SnapshotReport(paused: pause, bytes: bytes) }
    }

    /// How an environment stands still meanwhile.
    package struct Pausing {
        /// Stops everything in it.
        package var pause: () async throws(IsolationError) -> Void
        /// Lets it go on.
        package var resume: () async throws(IsolationError) -> Void
        /// What else is copied while it stands still: its memory.
        package var meanwhile: () async throws(IsolationError) -> Void

        /// A way to stop an environment.
        package init(
            pause: @escaping () async throws(IsolationError) -> Void,
            resume: @escaping () async throws(IsolationError) -> Void,
            meanwhile: @escaping () async throws(IsolationError) -> Void = { () throws(IsolationError) in }
        ) {
            self.pause = pause
            self.resume = resume
            self.meanwhile = meanwhile
        }
    }

    /// How long an environment may stand still while it is copied: some gigabytes where files cannot share their bytes.
    package static let limit = Duration.seconds(30)

    /// Copies parts of a directory to a new one.
    ///
    /// Where the file system tells what changed, all is copied while the environment still works, and what changed
    /// meanwhile once more while it stands still. Elsewhere what was written shortly before goes to the disk first, so that
    /// it stands still only for the copying. It goes on again whatever happens, and a copy that fails is removed.
    ///
    /// - Parameters:
    ///   - parts: names in the directory; `nil` is all that is in it. Subvolumes below a subvolume are not copied.
    ///   - target: a path where nothing stands. On the same file system it is quickest.
    ///   - limit: how long the copying may take: while it stands still, and before for each time.
    ///   - pausing: how the environment stands still; `nil`: nobody writes there.
    package static func take(
        _ parts: [String]? = nil, of directory: String, to target: String, limit: Duration, pausing: Pausing? = nil
    ) async throws(IsolationError) -> Figures {
        let start = ContinuousClock.now
        let isUsed = pausing != nil
        let isPrepared = try await onDiskThread { () throws(IsolationError) in
            guard access(target, F_OK) != 0 else { throw IsolationError("\(target) is there already: remove it") }
            if isUsed, !Subvolume.isSubvolume(directory), try FilePasses.work(in: directory) {
                try Subvolume.makeDirectory(target)
                return true
            }
            try OpenDirectory(directory).flushFileSystem(directory)
            return false
        }
        do throws(IsolationError) {
            var passes = FilePasses(parts, of: directory, to: target)
            if isPrepared { try await passes.prepare(limit: limit) }
            let prepared = passes
            let pauseStart = ContinuousClock.now
            let method = try await whileStill(pausing) { () async throws(IsolationError) in
                try await onDiskThread { () throws(IsolationError) in
                    try copy(prepared, isPrepared, of: directory, to: target, deadline: pauseStart + limit)
                }
            }
            let pause = pausing == nil ? .zero : ContinuousClock.now - pauseStart
            return try await onDiskThread { () throws(IsolationError) in
                if let parts, method == .subvolume { try keep(parts, in: target) }
                let bytes = FileTree.bytes(of: target)
                return Figures(method: method, bytes: bytes, pause: pause, total: .now - start)
            }
        } catch {
            try? await onDiskThread { () throws(IsolationError) in try Subvolume.removeDirectory(target) }
            throw error
        }
    }

    /// The space that a directory takes with all that is in it, and so at most what a copy of it will. Blocks.
    package static func bytes(of directory: String) -> UInt64 { FileTree.bytes(of: directory) }

    private static func whileStill<Result>(
        _ pausing: Pausing?, _ body: () async throws(IsolationError) -> Result
    ) async throws(IsolationError) -> Result {
        guard let pausing else { return try await body() }
        let result: Result
        do throws(IsolationError) {
            try await pausing.pause()
            try await pausing.meanwhile()
            result = try await body()
        } catch {
            // Also if it could not be stopped: a part of it may have been.
            try? await pausing.resume()
            throw error
        }
        try await pausing.resume()
        return result
    }

    private static func copy(
        _ passes: FilePasses, _ isPrepared: Bool, of directory: String, to target: String,
        deadline: ContinuousClock.Instant
    ) throws(IsolationError) -> Method {
        if !isPrepared {
            if try Subvolume.snapshot(directory, to: target) { return .subvolume }
            // Also when it is copied file by file: the next time it is one that can be copied at one stroke.
            try Subvolume.makeDirectory(target)
        }
        var passes = passes
        try passes.finish(deadline: deadline)
        return passes.filesInFull == 0 ? .reflink : .copy
    }

    /// Removes what was not asked for from the copy of a subvolume.
    private static func keep(_ parts: [String], in target: String) throws(IsolationError) {
        try onDisk { () throws(ReleaseError) in
            for name in try Disk.names(in: target) where !parts.contains(name) {
                try Disk.removeTree("\(target)/\(name)")
            }
        }
    }
}

/// Uses the disk on a thread of its own.
func onDiskThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws(IsolationError) -> Value
) async throws(IsolationError) -> Value {
    try await onThread("snapshot") { Result { () throws(IsolationError) in try body() } }.get()
}
