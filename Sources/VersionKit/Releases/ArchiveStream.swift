internal import CLinux

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// An archive for a program to read while it is decompressed: nothing of it is written to the disk.
///
/// A socket rather than a pipe, so that a reader which ends early is an error here and no signal.
struct ArchiveStream: Sendable {
    /// Where the program reads.
    let reader: Int32
    private let writer: Int32

    init() throws(ReleaseError) {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw ReleaseError.system("make", "a pair of sockets")
        }
        (reader, writer) = (ends[0], ends[1])
    }

    /// The next bytes; waits until there is room for them.
    ///
    /// - Returns: whether anybody reads on.
    func handOn(_ bytes: UnsafeRawBufferPointer) throws(ReleaseError) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress
            let count = send(writer, start, rest.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE || errno == ECONNRESET {
                return false
            } else if errno != EINTR {
                throw ReleaseError.system("hand on", "an archive")
            }
        }
        return true
    }

    /// There are no more bytes: the reader's end of the file.
    func closeWriter() { close(writer) }

    /// Nobody reads any more.
    func closeReader() { close(reader) }
}
