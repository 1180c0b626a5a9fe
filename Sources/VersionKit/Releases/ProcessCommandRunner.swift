import VersionKitProcesses

/// Runs `tar` and the like for the release store.
public struct ProcessCommandRunner: CommandRunner {
    /// A runner.
    public init() {}

    public func run(_ program: String, _ arguments: [String], input: Int32?) async throws -> CommandResult {
        let result = try await Command.run(program, arguments, descriptors: input.map { [0: $0] } ?? [:])
        let code: Int32 =
            switch result.exit {
            case .code(let code): code
            case .signal(let number): 128 + number
            }
        return CommandResult(exitCode: code, errorOutput: result.output)
    }
}
