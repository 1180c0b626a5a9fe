import Glibc

/// A system call that failed: which one, and why.
public struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried, `bind 10.0.0.1:7000`.
    public let operation: String
    /// The `errno`.
    public let code: Int32

    /// The error of the system call that just failed on this thread, or one with a given code.
    public init(_ operation: String, code: Int32? = nil) {
        self.code = code ?? errno
        self.operation = operation
    }

    public var description: String { "\(operation): \(String(cString: strerror(code)))" }
}
