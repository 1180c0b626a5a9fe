import CLinux
import Glibc
import Synchronization
import VersionKitProcesses

/// The conversation with an environment's init (`versionkit-environment`): one command at a time, one line each way.
///
/// Closing the control pipe, by intent or by death, ends the environment. Thread-safe.
final class InitProcess: Sendable {
    private let process: ChildProcess
    private let commands: Int32
    private let replies: AsyncStream<String>
    private let exits: AsyncStream<Int32>
    private let isClosed = Mutex(false)

    var id: Int32 { process.id }

    init(helper: String, arguments: [String], log path: String) throws(IsolationError) {
        let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        var down: [Int32] = [-1, -1]
        var up: [Int32] = [-1, -1]
        guard log >= 0, vk_pipe2(&down, 0) == 0, vk_pipe2(&up, 0) == 0 else {
            throw IsolationError("open an environment's pipes: \(String(cString: strerror(errno)))")
        }
        var options = ChildProcess.Options()
        options.descriptors = [0: down[0], 1: up[1], 2: log]
        defer { for descriptor in [down[0], up[1], log] { Glibc.close(descriptor) } }
        do throws(SystemError) {
            process = try ChildProcess.spawn(helper, arguments, options: options)
        } catch {
            Glibc.close(down[1])
            Glibc.close(up[0])
            throw IsolationError("\(error)")
        }
        commands = down[1]
        // One line per command, and one for the version's end: nothing piles up.
        let (replies, reply) = AsyncStream.makeStream(of: String.self)
        let (exits, exit) = AsyncStream.makeStream(of: Int32.self)
        self.replies = replies
        self.exits = exits
        let source = up[0]
        SystemThread(name: "environment") {
            defer { Glibc.close(source) }
            readLines(source) { line in
                if line.hasPrefix("exited "), let code = Int32(line.dropFirst(7)) {
                    exit.yield(code)
                } else {
                    reply.yield(line)
                }
            }
            exit.finish()
            reply.finish()
        }.start()
    }

    deinit { close() }

    /// Sends a command.
    func say(_ words: [String]) throws(IsolationError) {
        guard words.allSatisfy({ !$0.contains { $0 == "\t" || $0 == "\n" } }) else {
            throw IsolationError("a command's words may not contain tabs or newlines: \(words)")
        }
        let line = Array((words.joined(separator: "\t") + "\n").utf8)
        guard write(commands, line, line.count) == line.count else {
            throw IsolationError("the environment has ended")
        }
    }

    /// The answer to the last command.
    func reply() async -> String? {
        for await line in replies { return line }
        return nil
    }

    /// Waits for this answer; any other one is an error.
    func expect(_ answer: String, what: String) async throws(IsolationError) {
        let line = await reply()
        guard line == answer else {
            throw IsolationError("could not \(what): \(line.map(Self.reason) ?? "its first process ended")")
        }
    }

    /// The version's exit code, once it has ended; `nil` when the environment has.
    func versionExit() async -> Int32? {
        for await code in exits { return code }
        return nil
    }

    /// Ends the conversation, and so the environment; returns when nothing of it runs any more.
    func end() async {
        close()
        _ = await process.wait()
    }

    private func close() {
        isClosed.withLock { isClosed in
            if !isClosed { Glibc.close(commands) }
            isClosed = true
        }
    }

    private static func reason(_ line: String) -> String {
        line.hasPrefix("failed ") ? String(line.dropFirst(7)) : line
    }
}
