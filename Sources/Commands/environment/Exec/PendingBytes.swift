import Glibc

/// Bytes on their way to a descriptor that does not block.
struct PendingBytes {
    private var bytes: [UInt8] = []

    var count: Int { bytes.count }
    var isEmpty: Bool { bytes.isEmpty }

    mutating func append(_ more: [UInt8]) { bytes += more }

    mutating func removeAll() { bytes.removeAll() }

    /// Writes what is taken just now. False: nothing will be any more.
    mutating func flush(to descriptor: Int32) -> Bool {
        var written = 0
        defer { bytes.removeFirst(written) }
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return errno == EAGAIN }
            written += count
        }
        return true
    }
}
