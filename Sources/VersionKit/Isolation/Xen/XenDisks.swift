import CLinux
import Glibc

/// Virtual disks: image files with an ext4 file system.
///
/// A version's disk is copy-on-write over its layers: those are disks that are only read, and the guest joins them with
/// overlayfs to one that is written to. So a disk of gigabytes is made in the time of an empty file system, and takes up
/// what was written.
enum XenDisks {
    private static let blockBytes: UInt64 = 4096

    /// The size of an image: each file and directory takes whole blocks, and the file system has tables of its own.
    private static func imageBytes(files: UInt64, count: UInt64) -> UInt64 {
        let blocks = files + count * blockBytes
        return blocks + blocks / 4 + (4 << 20)
    }

    /// Makes a disk that is only read out of a directory.
    static func make(_ image: String, of directory: String) async throws(IsolationError) {
        let bytes = try await total("--bytes", of: directory)
        let count = try await total("--inodes", of: directory)
        // An inode for each block is one for each file. Small blocks, which small disks have by themselves, and checksums of
        // what is never written again make it slow.
        try await format(
            image, bytes: imageBytes(files: bytes, count: count),
            [
                "-O", "^has_journal,^metadata_csum", "-b", "\(blockBytes)", "-i", "\(blockBytes)", "-d", directory,
            ])
    }

    private static func total(_ what: String, of directory: String) async throws(IsolationError) -> UInt64 {
        let output = try await execute("du", ["--summarize", what, "--dereference-args", directory])
        guard let number = output.split(whereSeparator: \.isWhitespace).first.flatMap({ UInt64($0) }) else {
            throw IsolationError("the size of \(directory) is not known: \(output)")
        }
        return number
    }

    /// Makes an empty disk to write to. Its journal makes a copy whole that is taken while it is in use.
    static func makeEmpty(_ image: String, bytes: UInt64) async throws(IsolationError) {
        try await format(image, bytes: bytes, ["-E", "lazy_itable_init=1,lazy_journal_init=1"])
    }

    private static func format(_ image: String, bytes: UInt64, _ options: [String]) async throws(IsolationError) {
        unlink(image)
        try await execute(
            "mke2fs", ["-q", "-F", "-t", "ext4", "-m", "0"] + options + [image, "\(bytes >> 10)K"])
    }

    /// Copies a disk that may be written to: the file system shares the blocks if it can, and holes stay holes.
    static func copy(_ source: String, to target: String) async throws(IsolationError) {
        try await execute("cp", ["--reflink=auto", "--sparse=always", source, target])
    }

    /// Copies the disks that a version writes to.
    static func copyWritten(_ source: XenPlace, to target: XenPlace) async throws(IsolationError) {
        for disk in source.writtenDisks {
            try await copy(disk, to: disk == source.data ? target.data : target.state)
        }
    }

    /// Has a disk that is only read in another place, too.
    static func share(_ source: String, at target: String) async throws(IsolationError) {
        unlink(target)
        if link(source, target) != 0 { try await copy(source, to: target) }
    }

    /// The space that a file takes, in bytes.
    static func usedBytes(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_blocks) * 512 : 0
    }
}
