import CLinux
import Glibc

/// A file without a name. A child can read from it or write to it, however much, without anybody at the other end, as a
/// pipe would need. Closed with the object.
package final class MemoryFile: Sendable {
    /// Its descriptor, whose position stays at the start.
    package let descriptor: Int32

    /// A file with these contents.
    package init(_ contents: String = "") throws(SystemError) {
        descriptor = vk_memfd("versionkit")
        guard descriptor >= 0 else { throw SystemError("memfd_create") }
        var contents = contents
        let written = contents.withUTF8 { bytes in
            // Memory files take all at once.
            pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
        }
        guard written else { throw SystemError("write to memory") }
    }

    /// Takes over the descriptor of such a file.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// All that is in it.
    package func contents() -> String {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size > 0 else { return "" }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
