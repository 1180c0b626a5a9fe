internal import CLinux
internal import Glibc

/// A file without a name. A child can read from it or write to it, however much, without anybody at the
/// other end, as a pipe would need.
struct MemoryFile {
    let descriptor: Descriptor

    init(_ contents: String = "") throws(TestbedError) {
        descriptor = try Descriptor(checking: vk_memfd("versionkit"), "memfd_create")
        var contents = contents
        let written = contents.withUTF8 { bytes in
            // Offset 0, and the child's position stays at the start. Memory files take all at once.
            pwrite(descriptor.number, bytes.baseAddress, bytes.count, 0) == bytes.count
        }
        if !written { throw TestbedError.system("writing to memory") }
    }

    /// All that is in it.
    func contents() -> String {
        var status = stat()
        guard fstat(descriptor.number, &status) == 0, status.st_size > 0 else { return "" }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            count = max(0, pread(descriptor.number, buffer.baseAddress, buffer.count, 0))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
