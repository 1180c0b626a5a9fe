import Glibc
import VersionKitProcesses

extension Place {
    /// Starts a program that starts the environment's agent, says `pid PID` and `created`, and ends. The agent alone has the
    /// listener afterwards, which is closed here: without an agent the conversation ends.
    ///
    /// - Returns: the agent's process.
    func startAgent(
        _ program: String, _ arguments: [String], listener: Int32
    ) async throws(IsolationError) -> pid_t {
        defer { close(listener) }
        let log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw .system("open \(self.log)") }
        defer { close(log) }
        let output: String
        do throws(SystemError) {
            output = try await Command.run(
                program, arguments, descriptors: [2: log, AgentSocket.inherited: listener]
            ).output
        } catch {
            throw IsolationError("\(error)")
        }
        let lines = output.split(separator: "\n")
        guard lines.contains("created"), let line = lines.first(where: { $0.hasPrefix("pid ") }),
            let pid = pid_t(line.dropFirst(4))
        else { throw IsolationError("could not create the environment: \(lines.last ?? "its first process ended")") }
        return pid
    }
}
