import Glibc

/// What of the disk went wrong, and at which path.
public struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried.
    public var action: String
    /// Where.
    public var path: String
    /// What the system says, or why it was refused.
    public var reason: String

    /// An error.
    public init(_ action: String, _ path: String, reason: String) {
        self.action = action
        self.path = path
        self.reason = reason
    }

    /// What the system said last.
    init(_ action: String, _ path: [CChar]) {
        let code = errno
        self.init(
            action, String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self),
            reason: String(cString: strerror(code)))
    }

    /// One sentence.
    public var description: String { "\(path): cannot \(action): \(reason)" }
}
