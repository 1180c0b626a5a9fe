import CLinux
import Glibc
import VersionKitModel

// Where what a version writes is kept: in directories, or on a disk of its own if its space is limited.
extension Place {
    private static let diskName = "disk.ext4"

    var limitedDisk: LimitedDisk { LimitedDisk(image: "\(base)/\(Self.diskName)", mountPoint: base + "/disk") }

    /// The directory with what the version writes; with a disk of its own it is there in its environment only.
    var writable: String { limitedDisk.exists ? limitedDisk.mountPoint : base }

    /// What a snapshot has to keep: these parts, or the disk that they are on.
    func kept(_ parts: [String]) -> [String] { limitedDisk.exists ? [Self.diskName] : parts }

    /// A command that sees the disk, if there is one.
    func withDisk(_ program: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        limitedDisk.exists ? limitedDisk.command(program, arguments) : (program, arguments)
    }

    /// Writes out what the version has written to its disk, if there is one, without its agent, who may stand still, too.
    func flushDisk() throws(IsolationError) {
        guard limitedDisk.exists, let pid = process.pid else { return }
        let root = open("/proc/\(pid)/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw .system("open the root directory of \(base)") }
        defer { close(root) }
        guard vk_sync_file_system(root) == 0 else { throw .system("write out \(limitedDisk.image)") }
    }

    /// Makes the directories that the version writes to, with or without a limit, and whatever it was before.
    ///
    /// - Parameters:
    ///   - parts: their names, the upper directory's first. What is in them stays.
    ///   - limit: bytes of all of them together.
    ///   - emptiesUpper: whether the upper directory is begun anew.
    ///   - owner: whose the last part is to be, with all that is in it, if it is not so already.
    func layOut(
        _ parts: [String], limit: UInt64?, emptiesUpper: Bool = false, owner: StartSettings.User? = nil
    ) async throws(IsolationError) {
        let owner = owner.map { "\($0.id):\($0.group)" } ?? "0:0"
        if let limit {
            return try await limitedDisk.layOut(
                parts, in: base, bytes: limit, empties: emptiesUpper ? upperName : "", owner: owner)
        }
        if limitedDisk.exists { try await limitedDisk.dissolve(parts, in: base) }
        // The kernel wants the work directory empty, and leaves things behind that only removing clears.
        for path in [work] + (emptiesUpper ? [upper] : []) { try await removeTree(path) }
        for path in [work] + parts.map({ "\(base)/\($0)" }) { try make(path) }
        if let last = parts.last, last != upperName {
            try await execute("sh", ["-ec", Self.ownScript, "sh", owner, "\(base)/\(last)"])
        }
    }

    /// Arguments: `USER:GROUP`, and the directory.
    static let ownScript = #"[ "$(stat -c %u:%g "$2")" = "$1" ] || chown -R -h "$1" "$2""#
}

extension AgentEnvironment {
    /// How it stands still for a copy of what it wrote. A disk of its own is not complete before it was told.
    func pausing(_ place: Place) -> FileSnapshot.Pausing {
        let flushes = place.limitedDisk.exists
        return FileSnapshot.Pausing(
            pause: { () async throws(IsolationError) in
                if flushes { try await connection.ask(["sync"]) }
                try await pause()
                if flushes { try await connection.ask(["sync"]) }
            }, resume: resume)
    }
}
