// Where a file beside it in the compiler's batch imports this module, it takes the calls of files for its own.
internal import CLinux

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

internal import VersionKitModel

/// An open file that is closed when the value goes away. Never inherited by children.
struct OpenFile: ~Copyable, Sendable {
    let descriptor: Int32
    let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    static func reading(_ path: String) throws(ReleaseError) -> OpenFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ReleaseError.system("open", path) }
        return OpenFile(descriptor: descriptor, path: path)
    }

    /// A new file; an existing one is an error.
    static func creating(_ path: String, mode: UInt32) throws(ReleaseError) -> OpenFile {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
        guard descriptor >= 0 else { throw ReleaseError.system("create", path) }
        return OpenFile(descriptor: descriptor, path: path)
    }

    /// A file to put locks on: created if need be, never read.
    static func locking(_ path: String) throws(ReleaseError) -> OpenFile {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(0o600))
        guard descriptor >= 0 else { throw ReleaseError.system("open", path) }
        return OpenFile(descriptor: descriptor, path: path)
    }

    /// A file to write parts of, made if need be.
    static func updating(_ path: String) throws(ReleaseError) -> OpenFile {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(0o600))
        guard descriptor >= 0 else { throw ReleaseError.system("open", path) }
        return OpenFile(descriptor: descriptor, path: path)
    }

    /// A new file with a name that nobody else has, mode 0600.
    static func temporary(in directory: String) throws(ReleaseError) -> OpenFile {
        // Not `mkstemp`: its descriptor could be inherited by a child that is started at the same moment.
        try creating("\(directory)/file-\(String(UInt64.random(in: .min ... .max), radix: 36))", mode: 0o600)
    }

    /// Sees to it that there is a file with so many bytes of disk space; those that are there stay.
    static func allocating(_ path: String, bytes: UInt64) throws(ReleaseError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(0o600))
        guard descriptor >= 0 else { throw ReleaseError.system("create", path) }
        let file = OpenFile(descriptor: descriptor, path: path)
        let result = posix_fallocate(file.descriptor, 0, off_t(clamping: bytes))
        guard result == 0 else { throw ReleaseError.system("make room for", path, errno: result) }
    }

    func size() throws(ReleaseError) -> UInt64 {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw ReleaseError.system("look at", path) }
        return UInt64(max(0, info.st_size))
    }

    /// The bytes from `offset` on, at most as many as the buffer holds; 0 at the end of the file.
    func readBytes(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(ReleaseError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(clamping: offset))
            if count >= 0 { return count }
            guard errno == EINTR else { throw ReleaseError.system("read", path) }
        }
    }

    /// Fills the buffer with the bytes from `offset` on; fewer only at the end of the file.
    func readWhole(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(ReleaseError) -> Int {
        var done = 0
        while done < buffer.count {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try readBytes(into: part, at: offset + UInt64(done))
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    /// - Parameter offset: where in the file; `nil`: behind what was written last.
    func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: UInt64? = nil) throws(ReleaseError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress
            let count =
                if let offset {
                    pwrite(descriptor, start, rest.count, off_t(clamping: offset + UInt64(rest.startIndex)))
                } else {
                    write(descriptor, start, rest.count)
                }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw ReleaseError.system("write", path)
            }
        }
    }

    /// Waits until the bytes are on the disk.
    func flush() throws(ReleaseError) {
        guard fsync(descriptor) == 0 else { throw ReleaseError.system("flush", path) }
    }

    /// The first bytes.
    func start(_ count: Int) throws(ReleaseError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { buffer.deallocate() }
        return try Array(buffer[..<readWhole(into: buffer, at: 0)])
    }

    /// The SHA-256 of the whole file.
    func digest() throws(ReleaseError) -> Digest {
        var hasher = ContentHasher()
        try forEachChunk { (chunk) throws(ReleaseError) in hasher.update(chunk) }
        return hasher.digest()
    }

    /// The SHA-256 of some of its bytes, or of fewer where it ends.
    func digest(of range: Range<UInt64>) throws(ReleaseError) -> Digest {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(range.count), alignment: 16)
        defer { buffer.deallocate() }
        let count = try readWhole(into: buffer, at: range.lowerBound)
        return ContentHasher.digest(of: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    /// The whole file in pieces of up to 1 MiB.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws(ReleaseError) -> Void) throws(ReleaseError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: UInt64 = 0
        while true {
            let count = try readBytes(into: buffer, at: offset)
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += UInt64(count)
        }
    }
}
