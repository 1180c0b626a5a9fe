import Glibc

/// Why something could not be measured.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A system call that just failed on this thread.
    static func system(_ operation: String) -> BenchError {
        let code = errno
        return BenchError("\(operation): \(String(cString: strerror(code)))")
    }
}
