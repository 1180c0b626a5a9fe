import CLinux
import Glibc

/// Runs a program to its end and keeps what it printed: `ip`, `nft`, `tar`.
public enum Command {
    /// The most that is kept of a program's output, in bytes; what goes beyond is thrown away.
    public static let outputMax = 256 << 10

    /// How a program ended, and what it printed to standard output and standard error together.
    public struct Result: Sendable {
        /// How it ended.
        public var exit: ChildProcess.Exit
        /// What it printed.
        public var output: String
    }

    /// Runs a program, found in the usual directories unless named by a path.
    ///
    /// It does not outlive this process: what it would have written after a crash could disturb whoever recovers.
    ///
    /// - Parameters:
    ///   - input: what it reads from standard input.
    ///   - networkNamespace: a descriptor of the namespace to run it in.
    ///   - descriptors: what it gets besides, by their numbers there; standard error may be one of them.
    ///   - variables: variables of its environment beside this process's, `NAME=value`.
    ///   - heard: is told each line that it prints, on another thread, as soon as it is complete.
    ///   - limit: how long it may take before it is killed; `nil`: for ever.
    ///   - endsWithTask: whether it is killed when the task is cancelled that waits for it.
    /// - Throws: ``SystemError`` if it cannot be started. A non-zero exit code is a result, not an error.
    public static func run(
        _ program: String, _ arguments: [String], input: String = "", networkNamespace: Int32? = nil,
        descriptors: [Int32: Int32] = [:], limit: Duration? = nil, endsWithTask: Bool = false, variables: [String] = [],
        heard: (@Sendable (String) -> Void)? = nil
    ) async throws(SystemError) -> Result {
        guard let path = find(program) else { throw SystemError("find the program \(program)", code: ENOENT) }
        let input = try MemoryFile(input)
        let bell = endsWithTask ? try Bell() : nil
        return try await withTaskCancellationHandler {
            // One thread from start to end, as the program dies with the thread that started it.
            await onThread("command") {
                Swift.Result { () throws(SystemError) in
                    var spawn = RawSpawn()
                    spawn.networkNamespace = networkNamespace
                    spawn.descriptors = descriptors
                    spawn.environment += variables
                    spawn.newSession = true
                    spawn.diesWithThread = true
                    let wait = BoundedWait(limit, bell)
                    return try spawn.runToEnd(path, arguments, input: input, wait: wait, heard: heard)
                }
            }
        } onCancel: {
            bell?.ring()
        }.get()
    }

    /// The program's path, or `nil` if it is in none of the usual directories.
    public static func find(_ program: String) -> String? {
        if program.contains("/") { return program }
        return ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }
}

extension RawSpawn {
    /// Runs a program to its end on the calling thread.
    fileprivate func runToEnd(
        _ program: String, _ arguments: [String], input: MemoryFile, wait: BoundedWait,
        heard: ((String) -> Void)?
    ) throws(SystemError) -> Command.Result {
        var ends: [Int32] = [0, 0]
        guard vk_pipe2(&ends, 0) == 0 else { throw SystemError("pipe") }
        defer { close(ends[0]) }
        var spawn = self
        spawn.descriptors.merge([0: input.descriptor, 1: ends[1], 2: ends[1]]) { given, _ in given }
        let started = Swift.Result { () throws(SystemError) in try spawn.spawn(program, arguments) }
        // Or the end of its output would never come.
        close(ends[1])
        let pidfd = try started.get().pidfd
        defer { close(pidfd) }
        let output = wait.readAll(ends[0], heard)
        // It may go on after it has closed its output.
        if !wait.until(pidfd) { _ = vk_pidfd_send_signal(pidfd, SIGKILL) }
        var code: Int32 = 0
        var signal: Int32 = 0
        precondition(vk_wait(pidfd, false, &code, &signal) == 1, "somebody else reaped \(program)")
        return Command.Result(exit: signal == 0 ? .code(code) : .signal(signal), output: output)
    }
}

/// Waits for descriptors, until a time, or until somebody rings.
private struct BoundedWait {
    private let end: ContinuousClock.Instant?
    private let bell: Bell?

    init(_ limit: Duration?, _ bell: Bell?) {
        end = limit.map { ContinuousClock.now + $0 }
        self.bell = bell
    }

    /// Waits until there is something to read: `false` if the time is up before, or somebody rang.
    func until(_ descriptor: Int32) -> Bool {
        // The kernel leaves a negative descriptor alone.
        var entries = [descriptor, bell?.descriptor ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            var milliseconds: Int32 = -1
            if let end {
                let left = (end - ContinuousClock.now) / .milliseconds(1)
                guard left > 0 else { return false }
                milliseconds = Int32(min(left.rounded(.up), Double(Int32.max)))
            }
            // Interrupted, or the time is up: looked at again.
            if poll(&entries, 2, milliseconds) > 0 { return entries[1].revents == 0 }
        }
    }

    /// What comes until the end of the file, or until the time is up.
    func readAll(_ descriptor: Int32, _ heard: ((String) -> Void)?) -> String {
        var kept: [UInt8] = []
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while until(descriptor) {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            if let heard {
                line += buffer[..<count]
                while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
                    heard(String(decoding: line[..<end], as: UTF8.self))
                    line.removeSubrange(...end)
                }
                // A line without an end is none.
                if line.count > Command.outputMax { line = [] }
            }
            kept += buffer[..<min(count, Command.outputMax - kept.count)]
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
