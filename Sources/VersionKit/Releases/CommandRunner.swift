/// Runs another program to its end: the one thing that this module needs of a process spawner.
public protocol CommandRunner: Sendable {
    /// Runs a program and waits for it.
    ///
    /// A name without a slash is looked up in `PATH`. The environment should be a fixed one (`LC_ALL=C`, no
    /// `TAR_OPTIONS`), so that the same command does the same everywhere. An exit code that is not zero is a result; only
    /// a program that could not be run is an error.
    ///
    /// - Parameter input: the descriptor that it reads from as its standard input, which stays the caller's; `nil`: an empty
    ///   one.
    func run(_ program: String, _ arguments: [String], input: Int32?) async throws -> CommandResult
}

/// How a program ended.
public struct CommandResult: Sendable, Equatable {
    /// The exit code, or 128 and the number of the signal that ended it.
    public var exitCode: Int32
    /// What it wrote to its standard error; a runner may keep only the first kilobytes.
    public var errorOutput: String

    /// A result.
    public init(exitCode: Int32, errorOutput: String = "") {
        self.exitCode = exitCode
        self.errorOutput = errorOutput
    }
}

extension CommandRunner {
    /// Runs a program that reads nothing.
    public func run(_ program: String, _ arguments: [String]) async throws -> CommandResult {
        try await run(program, arguments, input: nil)
    }

    /// Runs a program that has to succeed.
    func runToSuccess(_ program: String, _ arguments: [String], input: Int32? = nil) async throws(ReleaseError) {
        let result: CommandResult
        do {
            result = try await run(program, arguments, input: input)
        } catch {
            throw ReleaseError(
                .commandFailed, "\(program) could not be run (\(error))", side: .node,
                remedy: "install it, or check the PATH of this process")
        }
        guard result.exitCode == 0 else {
            throw ReleaseError(
                .commandFailed,
                "\(program) ended with exit code \(result.exitCode), saying: "
                    + String(result.errorOutput.prefix(500)), side: .node)
        }
    }
}
