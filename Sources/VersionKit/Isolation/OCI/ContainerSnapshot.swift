import Glibc
import VersionKitModel

/// A snapshot with memory of a container, in its directory.
struct ContainerSnapshot {
    let directory: String
    /// What was on the disk.
    var files: String { directory + "/files" }
    /// What CRIU made.
    var memory: String { directory + "/memory" }
    var hasMemory: Bool { access(memory, F_OK) == 0 }

    init(_ directory: String) { self.directory = directory }

    /// Keeps what a container is at this moment, with its log, whose end its processes are at.
    ///
    /// - Parameter freezer: of the container.
    func take(
        of place: Place, criu: Criu, freezer: ContainerFreezer
    ) async throws(IsolationError) -> SnapshotReport {
        guard mkdir(directory, 0o700) == 0 else { throw .system("make \(directory)") }
        let lock = try Self.lock(place)
        defer { close(lock) }
        let keeper = ContainerMemory(root: place.runtimeState, criu: criu)
        var report = try await FileSnapshot.take(
            place.kept([place.upperName, place.dataName]) + [place.logName], of: place.base, to: files,
            limit: FileSnapshot.limit,
            pausing: FileSnapshot.Pausing(
                pause: { () throws(IsolationError) in
                    try await freezer.freeze()
                    try place.flushDisk()
                },
                resume: { () throws(IsolationError) in try freezer.thaw() },
                meanwhile: { () throws(IsolationError) in
                    _ = try await keeper.dump(
                        OCIContainer.name, to: memory, keepsRunning: true, network: .own, lock: lock)
                })
        ).report
        report.bytes += FileTree.bytes(of: memory)
        return report
    }

    /// How long a runtime may take to its end whose versiond has ended: as long as it may take at all.
    private static let breakOffLimit = Duration.seconds(90)

    /// Waits for the end of what an earlier process was about to keep, and lets the container go on.
    static func breakOff(_ place: Place) async throws(IsolationError) {
        guard let version = ControlGroups.current().version else { return }
        let deadline = ContinuousClock.now + breakOffLimit
        let lock = open(place.keepingLock, O_RDWR | O_CLOEXEC)
        // Then it was never kept.
        guard lock >= 0 else { return }
        defer { close(lock) }
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline else {
                throw IsolationError("runc does not come to an end; end whoever has \(place.keepingLock) open (fuser)")
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
        try ContainerFreezer(Cgroup(of: place).name, version).thaw()
    }

    private static func lock(_ place: Place) throws(IsolationError) -> Int32 {
        let lock = open(place.keepingLock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .system("open \(place.keepingLock)") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw IsolationError("the environment is being kept already")
        }
        return lock
    }
}
