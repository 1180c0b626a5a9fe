import Glibc
import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy

/// Reads the records of one file of a log, from its beginning. Whoever has made one closes it.
struct LogReader {
    private static let chunkBytes = 1 << 20

    private let path: String
    private let descriptor: Int32
    private var decoder: CatchUpLogDecoder
    /// How much was read.
    private(set) var bytes = 0

    init(_ path: String, limits: Limits) throws(SystemError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
        decoder = CatchUpLogDecoder(limits: limits)
    }

    /// The next whole record of what was read; `nil`: there is none yet.
    mutating func next() throws(CatchUpLogError) -> CatchUpRecord? { try decoder.next() }

    /// Reads on.
    ///
    /// - Returns: whether there was more; there may be later, as long as the file is written to.
    mutating func readMore() throws -> Bool {
        var chunk = ByteBuffer()
        let count = try chunk.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunkBytes) { room in
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
            guard count >= 0 else { throw SystemError("read \(path)") }
            return count
        }
        bytes += count
        if count > 0 { decoder.append(chunk) }
        return count > 0
    }

    func close() { Glibc.close(descriptor) }
}
