import Glibc
import VersionKitModel

/// An environment whose agent does most of what is asked of it.
protocol AgentEnvironment: IsolationEnvironment {
    var connection: AgentConnection { get }
    /// The file with what the version printed.
    var log: String { get }
    /// Waits until nothing of the environment runs any more, or sees to it.
    func waitUntilGone() async
}

/// How much of a log is shown in error messages, in bytes.
private let logTailBytes = 2048

/// The last lines of a log.
func logTail(of path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    lseek(descriptor, max(0, size - logTailBytes), SEEK_SET)
    var buffer = [UInt8](repeating: 0, count: logTailBytes)
    let count = read(descriptor, &buffer, buffer.count)
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
}

extension AgentEnvironment {
    public var seesRunDirectory: Bool { true }

    public func copyIn(_ directory: String, to path: String) async throws(IsolationError) {
        try await connection.copyIn(directory, to: path)
    }

    public func run(_ command: [String]) async throws(IsolationError) {
        let answer = try await connection.ask(["run"] + command)
        guard answer == "done 0" else {
            throw IsolationError("\(command.joined(separator: " ")): \(answer)\n\(logTail())")
        }
    }

    public func start(_ version: VersionStart) async throws(IsolationError) {
        do throws(IsolationError) {
            if let settings = version.settings {
                let user = settings.user
                try await connection.ask(
                    [
                        "settings", "\(user.id)", "\(user.group)", settings.workingDirectory ?? "/",
                        version.dataPath ?? "-",
                    ] + settings.environment)
            }
            try await connection.ask(["start"] + version.command)
        } catch {
            throw IsolationError("could not start \(version.command.joined(separator: " ")): \(error)")
        }
    }

    public func exit() async -> Int32? { await connection.versionExit() }

    public func pause() async throws(IsolationError) { try await connection.ask(["pause"]) }

    public func resume() async throws(IsolationError) { try await connection.ask(["resume"]) }

    public func usage() async throws(IsolationError) -> ResourceUsage { try await connection.usage() }

    public func snapshot(
        _ level: SnapshotLevel, into directory: String
    ) async throws(IsolationError) -> SnapshotReport {
        throw IsolationError("environments of this kind have no snapshots of \(level.rawValue)")
    }

    public func logTail() -> String { VersionKitIsolation.logTail(of: log) }

    public func stop(_ teardown: Teardown) async {
        let milliseconds = Int(teardown.gracePeriod / .milliseconds(1))
        // An agent that is gone already has stopped everything.
        _ = try? await connection.ask(["stop", "\(milliseconds)"])
        connection.close()
        await waitUntilGone()
    }
}

extension AgentConnection {
    /// What everything beside the agent uses.
    func usage() async throws(IsolationError) -> ResourceUsage {
        let words = try await ask(["usage"]).split(separator: " ")
        guard words.count == 4, let memory = UInt64(words[1]), let seconds = Double(words[2]), let tasks = Int(words[3])
        else { throw IsolationError("the agent's answer is not understood: \(words)") }
        return ResourceUsage(memoryBytes: memory, processorSeconds: seconds, tasks: tasks)
    }

    /// Whether the version was started: then it runs, or ended by itself, which is told by ``versionExit()``. An agent that
    /// was not told to start one ends, and so does this conversation.
    func hasStarted() async -> Bool {
        guard let state = try? await ask(["state"]) else { return false }
        if state.hasPrefix("ended "), let code = Int32(state.dropFirst(6)) { noteExit(code) }
        return state != "idle"
    }
}
