import CLinux
import Glibc

/// One conversation with an agent: what was read of it and not obeyed yet.
struct Conversation {
    private static let lineMax = 64 << 10
    private static let contentsMax = 16 << 20

    /// A command, and the bytes behind it.
    struct Command {
        var words: [String]
        var contents: [UInt8] = []
    }

    private let socket: Int32
    private var pending: [UInt8] = []
    /// Whether a program is run for it: its next command waits.
    var waits = false
    /// Whether anything was said in it.
    private(set) var hasSpoken = false

    init(_ socket: Int32) { self.socket = socket }

    /// Reads what has come. False: nothing more will.
    mutating func read() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        guard count > 0 else { return false }
        hasSpoken = true
        pending += buffer[..<count]
        return pending.count <= Self.lineMax + Self.contentsMax
    }

    /// The next command that is here as a whole.
    mutating func nextCommand() -> Command? {
        guard !waits, let end = pending.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = String(decoding: pending[..<end], as: UTF8.self).split(separator: "\t").map(String.init)
        var size = 0
        if words.first == "put" {
            size = words.count == 4 ? Int(words[2]) ?? -1 : -1
            // What follows cannot be told from commands: the agent answers that it did not understand this one.
            guard (0...Self.contentsMax).contains(size) else {
                pending.removeAll()
                return Command(words: ["put"])
            }
        }
        guard pending.count - end > size else { return nil }
        let contents = Array(pending[(end + 1)...].prefix(size))
        pending.removeSubrange(...(end + size))
        return Command(words: words, contents: contents)
    }
}
