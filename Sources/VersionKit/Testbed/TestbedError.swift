internal import Glibc

/// What went wrong with a testbed.
public struct TestbedError: Error, Sendable, CustomStringConvertible {
    /// The kind of error.
    public struct Code: Sendable, Hashable {
        private enum Value {
            case invalidPlan, outsideSandbox, stopped, system, command, timedOut
        }
        private var value: Value

        /// The plan cannot be built.
        public static let invalidPlan = Code(value: .invalidPlan)
        /// The process does not run inside `scripts/sandbox`.
        public static let outsideSandbox = Code(value: .outsideSandbox)
        /// The testbed was stopped already.
        public static let stopped = Code(value: .stopped)
        /// The kernel refused something.
        public static let system = Code(value: .system)
        /// A command that sets the network up failed, or cannot be found.
        public static let command = Code(value: .command)
        /// A process did not end in time.
        public static let timedOut = Code(value: .timedOut)
    }

    /// The kind of error.
    public var code: Code
    /// What happened, for a person to read.
    public var message: String

    /// The message.
    public var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// From errno, so to be made right after the call that failed.
    static func system(_ attempt: String) -> TestbedError {
        let error = errno
        return TestbedError(.system, "\(attempt): \(String(cString: strerror(error)))")
    }
}
