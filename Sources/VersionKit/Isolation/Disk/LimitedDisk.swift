import Glibc
import VersionKitProcesses

/// The disk of an environment whose space is limited: a file with a file system of so many bytes, of which only those take
/// space that are written.
///
/// It is mounted by whoever makes the environment, in a mount namespace that nobody else is in. When the last process of
/// that ends, so do the mount and its loop device: whoever is killed, and when, nothing has to be given back.
struct LimitedDisk: Sendable {
    /// The least that a limit can be: below, the file system's own needs are all there is.
    static let bytesMin: UInt64 = 16 << 20
    /// How long the kernel may take to write a disk back whose environment has ended.
    private static let releaseLimit = Duration.seconds(30)
    /// What is deleted is given back to the node. No table is written before it is needed: it would take space.
    private static let options = "loop,nosuid,nodev,noatime,discard,noinit_itable"

    /// The file, and the directory where it is mounted.
    let image: String
    let mountPoint: String

    /// Why no disk can be limited on this machine, and what to do; `nil`: they can.
    static var obstacle: String? {
        if !OwnerMapping.current().isSeparate {
            return "only root of the machine may mount a disk for each version; run versiond as root, or use uml"
        }
        if access("/dev/loop-control", R_OK | W_OK) != 0 { return "there are no loop devices; load the module loop" }
        if Command.find("mke2fs") == nil { return "mke2fs is missing; install the package e2fsprogs" }
        return nil
    }

    /// Whether the environment has one.
    var exists: Bool { access(image, F_OK) == 0 }

    /// The command that mounts the disk where nobody else sees it, and becomes another.
    func command(_ program: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        let script = "mount -t ext4 -o \(Self.options) \"$1\" \"$2\"; shift 2; exec \"$@\""
        return ("unshare", ["--mount", "sh", "-ec", script, "sh", image, mountPoint, program] + arguments)
    }

    /// Lays the disk out, and takes over what stood beside it without a limit.
    ///
    /// - Parameters:
    ///   - parts: directories on it that are kept.
    ///   - bytes: its size; one of another size is made larger, or smaller if what is on it fits.
    ///   - empties: the part that is emptied, if any.
    ///   - owner: whose the last part is to be, `USER:GROUP`.
    func layOut(
        _ parts: [String], in base: String, bytes: UInt64, empties: String, owner: String
    ) async throws(IsolationError) {
        if let obstacle = Self.obstacle { throw IsolationError("disk space cannot be limited: \(obstacle)") }
        guard bytes >= Self.bytesMin else {
            throw IsolationError("a limit of \(bytes) bytes of disk space is too small; use \(Self.bytesMin) or more")
        }
        do throws(IsolationError) {
            try await run(Self.layOutScript, base, ["\((bytes >> 12) << 2)", empties, owner] + parts)
        } catch {
            throw IsolationError("a disk of \(bytes) bytes cannot be had: \(error); raise the limit, or leave it out")
        }
    }

    /// Puts what is on the disk beside it, where there is no limit, and removes the disk.
    func dissolve(_ parts: [String], in base: String) async throws(IsolationError) {
        try await run(Self.dissolveScript, base, parts)
    }

    /// Waits until the kernel has written the disk back, which it goes on with when the environment has ended. Mounted
    /// before, it would be written to from two sides.
    func waitUntilReleased() async throws(IsolationError) {
        guard exists else { return }
        let deadline = ContinuousClock.now + Self.releaseLimit
        while true {
            let devices = try await execute("losetup", ["--associated", image, "--noheadings", "--output", "NAME"])
            if devices.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                throw IsolationError("\(image) is still in use as \(devices); unmount it")
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func run(_ script: String, _ base: String, _ arguments: [String]) async throws(IsolationError) {
        try make(mountPoint)
        try await execute(
            "unshare", ["--mount", "sh", "-ec", script, "sh", base, image, mountPoint, Self.options] + arguments)
    }

    /// Further arguments: the size in KiB, what is emptied, an owner, and what is kept. The file has its name only when
    /// everything is on it, and what stood beside it goes afterwards.
    private static let layOutScript = """
        base=$1 image=$2 disk=$3 options=$4 size=$5 empties=$6 owner=$7
        shift 7
        new=$image.new
        rm -f "$new"
        if [ ! -e "$image" ]; then
            truncate -s "${size}k" "$new"
            chmod 600 "$new"
            mke2fs -q -F -t ext4 -m 0 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$new"
            mount -t ext4 -o "$options" "$new" "$disk"
            for part; do [ ! -e "$base/$part" ] || cp -a "$base/$part" "$disk/"; done
            sync -f "$disk"
            mv "$new" "$image"
        else
            found=$(($(stat -c %s "$image") >> 10))
            if [ "$found" -ne "$size" ]; then
                e2fsck -f -p "$image" || [ $? -eq 1 ]
                [ "$found" -gt "$size" ] || truncate -s "${size}k" "$image"
                resize2fs "$image" "${size}k"
                truncate -s "${size}k" "$image"
            fi
            mount -t ext4 -o "$options" "$image" "$disk"
        fi
        for part; do rm -rf "${base:?}/$part"; done
        chmod 755 "$disk"
        rm -rf "$disk/lost+found" "$disk/work"
        [ -z "$empties" ] || rm -rf "${disk:?}/$empties"
        for part in work "$@"; do mkdir -p "$disk/$part"; done
        [ "$(stat -c %u:%g "$disk/$part")" = "$owner" ] || chown -R -h "$owner" "$disk/$part"
        """

    /// Further arguments: the names of what is on it. It goes when everything is beside it.
    private static let dissolveScript = """
        base=$1 image=$2 disk=$3 options=$4
        shift 4
        mount -t ext4 -o "$options" "$image" "$disk"
        for part; do
            rm -rf "${base:?}/$part"
            [ ! -e "$disk/$part" ] || cp -a "$disk/$part" "$base/"
        done
        sync -f "$base"
        rm "$image"
        """
}
