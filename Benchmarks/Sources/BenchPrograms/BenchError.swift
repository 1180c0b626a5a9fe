import Glibc

/// Why something could not be measured.
package struct BenchError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// A system call that just failed on this thread.
    package static func system(_ operation: String) -> BenchError {
        let code = errno
        return BenchError("\(operation): \(String(cString: strerror(code)))")
    }
}
