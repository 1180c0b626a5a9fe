import Glibc

/// The longest line that is read from another program, in bytes; one that sends more is not ours.
private let lineBytesMax = 64 << 10

/// Calls `handle` with each line of a pipe until its end. Blocks; the descriptor stays the caller's.
package func readLines(_ descriptor: Int32, _ handle: (String) -> Void) {
    var pending: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while pending.count < lineBytesMax {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        pending += buffer[..<count]
        while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
            handle(String(decoding: pending[..<end], as: UTF8.self))
            pending.removeSubrange(...end)
        }
    }
}
