import CLinux
import Glibc
import VersionKitReleases

/// A copy of a directory that is made in several passes: those while a version works there take the time, and the last,
/// while it stands still, brings up to date what changed since.
///
/// A file counts as unchanged if its status is the one that the pass before found, and is older than that pass. This also
/// holds for writing through mapped memory: each pass first writes out what the file system has in memory, which makes
/// those pages read-only; so the next store into one of them is noticed, and sets the time. A store or a `write` that had
/// set the time but was not done when the pass began is what ``slack`` is for.
struct FilePasses {
    /// File systems that set the time so.
    private static let suitable: [Int64] = [Int64(vk_ext4_magic), Int64(vk_xfs_magic), Int64(vk_btrfs_magic)]
    /// For how long a store may be on its way that has set the time already, in seconds.
    private static let slack = 1
    /// How often a copy is made up to date while the version works, even if it never has little to do.
    private static let passesMax = 4
    /// What the last pass may have to do when the version is stopped for it: some milliseconds.
    private static let fewFiles = 20
    private static let fewBytes = 1 << 20

    /// How many files could not share their bytes.
    private(set) var filesInFull = 0
    private let source: String
    private let parts: [String]?
    private let target: String
    private var tree: FileTree?
    private var rule: SteadyFiles?
    /// What a pass that followed at once would have to do.
    private var ahead = Work()

    private struct Work {
        var files = 0
        var bytes = 0
        var isLittle: Bool { files <= fewFiles && bytes <= fewBytes }
    }

    /// - Parameter parts: names in the source; `nil` is all that is in it.
    init(_ parts: [String]?, of source: String, to target: String) {
        self.source = source
        self.parts = parts
        self.target = target
    }

    /// Whether the file system tells what changed.
    static func work(in directory: String) throws(IsolationError) -> Bool {
        let directory = try OpenDirectory(directory)
        return suitable.contains(vk_file_system_type(directory.descriptor)) && time(of: directory) != nil
    }

    /// What time it is on a file system; `nil` if it makes no files without names.
    private static func time(of directory: borrowing OpenDirectory) -> FileTime? {
        var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
        guard vk_file_system_time(directory.descriptor, &seconds, &nanoseconds) == 0 else { return nil }
        return FileTime(seconds: Int(seconds), nanoseconds: Int(nanoseconds))
    }

    /// Copies while a version works, until little is left to do or that gets no better.
    ///
    /// - Parameter limit: for each pass.
    mutating func prepare(limit: Duration) async throws(IsolationError) {
        for pass in 1...Self.passesMax {
            let start = ContinuousClock.now
            let former = self
            var worked = Work()
            (self, worked) = try await onDiskThread { () throws(IsolationError) in
                var next = former
                let worked = try next.pass(deadline: start + limit, isChanging: true)
                return (next, worked)
            }
            guard pass < Self.passesMax, !worked.isLittle || !ahead.isLittle else { return }
            // What is new is copied again in any case; a second later it is not new any more.
            if !ahead.isLittle { try? await Task.sleep(until: start + .seconds(Self.slack)) }
        }
    }

    /// The last pass, while nobody is at work; blocks.
    mutating func finish(deadline: ContinuousClock.Instant) throws(IsolationError) {
        _ = try pass(deadline: deadline, isChanging: false)
    }

    private mutating func pass(
        deadline: ContinuousClock.Instant, isChanging: Bool
    ) throws(IsolationError) -> Work {
        let since = isChanging ? try Self.flush(source) : FileTime(seconds: 0)
        var found = try FileTree.scan(source, parts, deadline: deadline)
        for part in parts ?? [] where !isChanging && found.children[Array(part.utf8CString)] == nil {
            throw IsolationError("there is no \(part) in \(source)")
        }
        var copy = TreeCopy(deadline: deadline, isChanging: isChanging)
        if let update = TreeUpdate(from: tree, to: found, rule) {
            try copy.apply(update, of: &found, from: source, to: target)
        }
        filesInFull += copy.filesInFull
        guard isChanging else { return Work() }
        let next = SteadyFiles(device: found.status.id.device, since: since)
        ahead = Work()
        found.forEach { file in
            guard !file.status.isDirectory, !next.isSteady(file.status) else { return }
            ahead.files += 1
            if filesInFull > 0 { ahead.bytes += Int(clamping: file.bytes) }
        }
        (tree, rule) = (found, next)
        return Work(files: copy.files, bytes: copy.bytesInFull)
    }

    /// Writes out what the file system has in memory.
    ///
    /// - Returns: from when on what is changed may have been changed after that.
    private static func flush(_ path: String) throws(IsolationError) -> FileTime {
        let directory = try OpenDirectory(path)
        guard var time = time(of: directory) else { throw .system("make a file in \(path)") }
        try directory.flushFileSystem(path)
        time.seconds -= slack
        return time
    }
}
