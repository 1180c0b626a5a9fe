import Glibc
import ExampleFleet

/// A disk in memory for one directory. A test can make it full at one stroke, and larger again.
struct SmallDisk {
    let path: String
    let megabytes: Int

    /// Mounts one over a directory, which is there.
    init(at path: String, megabytes: Int) throws {
        (self.path, self.megabytes) = (path, megabytes)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw FleetError("no disk at \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Takes what is free, but for so many bytes. What is deleted afterwards is free again.
    func fill(leaving bytes: UInt64 = 0) throws {
        // The node writes meanwhile: a size that is less than what is used is refused.
        for _ in 0..<1000 {
            var status = statvfs()
            guard statvfs(path, &status) == 0 else { break }
            let used = UInt64(status.f_blocks - status.f_bfree) * UInt64(status.f_frsize)
            if resize(to: used + bytes) { return }
        }
        throw FleetError("\(path) could not be filled: \(String(cString: strerror(errno)))")
    }

    /// Gives back what was taken.
    func clear() throws {
        guard resize(to: UInt64(megabytes) << 20) else {
            throw FleetError("\(path) could not be made larger: \(String(cString: strerror(errno)))")
        }
    }

    func unmount() { umount2(path, Int32(MNT_DETACH)) }

    private func resize(to bytes: UInt64) -> Bool {
        mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(bytes)") == 0
    }
}
