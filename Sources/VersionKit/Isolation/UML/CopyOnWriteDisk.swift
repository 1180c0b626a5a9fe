import CLinux
import Glibc

/// A machine's disk: blocks that it has written, above a file that others may share (the kernel's COW format, version 3).
///
/// A kernel would make one by itself, but with the whole path of the lower file in it, which its process may not see.
enum CopyOnWriteDisk {
    private static let magic: UInt32 = 0x4F4F_4F4D
    private static let version: UInt32 = 3
    private static let sectorBytes = 512
    private static let alignment = 4096
    private static let pathBytes = 4096
    private static let headerBytes = 32 + pathBytes

    /// Makes a disk on which nothing was written yet. What is not written takes no space.
    ///
    /// - Parameter lower: a file in the same directory, which must never change.
    static func make(at path: String, over lower: String) throws(IsolationError) {
        var status = stat()
        guard stat(lower, &status) == 0 else { throw .system("look at \(lower)") }
        let name = String(lower.split(separator: "/").last ?? "")
        let header = header(size: Int(status.st_size), time: status.st_mtim.tv_sec, lower: name)
        let unfinished = path + ".new"
        let file = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system("make \(unfinished)") }
        defer { close(file) }
        guard write(file, header, header.count) == header.count,
            ftruncate(file, off_t(length(size: Int(status.st_size)))) == 0, rename(unfinished, path) == 0
        else { throw .system("make \(path)") }
    }

    /// The first bytes of a disk; numbers are big-endian.
    ///
    /// - Parameters:
    ///   - size: of the lower file, in bytes.
    ///   - time: when the lower file was changed last, in seconds: the kernel refuses one of another age.
    ///   - lower: its path, as the kernel's process finds it.
    static func header(size: Int, time: Int, lower: String) -> [UInt8] {
        let path = Array(lower.utf8.prefix(pathBytes - 1))
        return bytes(magic) + bytes(version) + bytes(UInt32(truncatingIfNeeded: time)) + bytes(UInt64(size))
            + bytes(UInt32(sectorBytes)) + bytes(UInt32(alignment)) + bytes(UInt32(0))
            + path + [UInt8](repeating: 0, count: pathBytes - path.count)
    }

    /// The length of the whole file: the header, a bit for each sector, and the sectors, all of them aligned.
    static func length(size: Int) -> Int {
        let bitmap = (size + 8 * sectorBytes - 1) / (8 * sectorBytes)
        return aligned(headerBytes) + aligned(bitmap) + size
    }

    private static func aligned(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
