import CLinux
import Glibc
import VersionKitProcesses

/// The processes that an agent has started.
struct Children {
    private static let sessionsMax = 16

    /// How a process ended that somebody waits for.
    enum End {
        case run(socket: Int32, code: Int32)
        case version(code: Int32)
    }

    /// Programs that run to their end, and who waits for that.
    var runs: [pid_t: Int32] = [:]
    /// Conversations of operators with commands, each with a process of its own.
    private var sessions: Set<pid_t> = []
    /// The version's process, while it runs.
    private var version: pid_t?
    /// How it ended, for a node that was not there when it was told.
    private var versionExit: Int32?
    private let surroundings: Surroundings
    private var settings = VersionSettings()

    init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    var state: String { version != nil ? "running" : versionExit.map { "ended \($0)" } ?? "idle" }

    /// How the version is to be started; the answer to whoever said so.
    mutating func settle(_ words: [String]) -> String {
        do throws(Failure) {
            settings = try VersionSettings(words, surroundings)
            return "done 0"
        } catch {
            return "failed \(error)"
        }
    }

    /// Starts the version.
    mutating func start(_ arguments: [String]) -> Result<Void, SystemError> {
        let result = spawn(arguments) { settings.apply(to: &$0) }
        version = try? result.get()
        versionExit = nil
        return result.map { _ in }
    }

    /// Starts a program without any privilege; its output is the environment's log, standard error.
    func spawn(_ arguments: [String], change: (inout RawSpawn) -> Void) -> Result<pid_t, SystemError> {
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { if nothing >= 0 { close(nothing) } }
        var raw = surroundings.spawn
        change(&raw)
        raw.descriptors = [0: nothing, 1: STDERR_FILENO, 2: STDERR_FILENO]
        do throws(SystemError) {
            let (pid, pidfd) = try raw.spawn(surroundings, arguments)
            close(pidfd)
            return .success(pid)
        } catch {
            let reason = "\(error)\n"
            _ = reason.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            return .failure(error)
        }
    }

    /// Gives a conversation to a process that runs a command for it: the words behind `exec`.
    mutating func converse(_ words: [String], over socket: Int32) throws(Failure) {
        guard sessions.count < Self.sessionsMax else { throw Failure("\(Self.sessionsMax) commands run already") }
        guard ExecPlan(words: words) != nil else { throw Failure("exec what?") }
        var raw = RawSpawn()
        raw.descriptors = [1: STDERR_FILENO, ExecSession.socket: socket]
        sessions.insert(
            try EnvironmentMain.start("session", surroundings.arguments + [ExecSession.separator] + words, raw))
    }

    /// Takes note of all that have ended.
    mutating func reap() -> [End] {
        var ends: [End] = []
        while let (pid, code) = Self.wait(blocks: false) {
            sessions.remove(pid)
            if let socket = runs.removeValue(forKey: pid) { ends.append(.run(socket: socket, code: code)) }
            if pid == version {
                (version, versionExit) = (nil, code)
                ends.append(.version(code: code))
            }
        }
        return ends
    }

    /// Ends everything that runs here but this process.
    mutating func stop(within milliseconds: Int) {
        if let version {
            kill(version, SIGTERM)
            // What was paused has to hear it.
            kill(version, SIGCONT)
            var left = milliseconds
            while self.version != nil, left > 0 {
                if reap().isEmpty {
                    poll(nil, 0, 5)
                    left -= 5
                }
            }
        }
        // Whoever was missed, because it had only just begun, has become a child of this process meanwhile.
        repeat {
            Others.end()
            while Self.wait(blocks: false) != nil {}
        } while Self.wait(blocks: true) != nil
    }

    private static func wait(blocks: Bool) -> (pid_t, Int32)? {
        var code: Int32 = 0
        var number: Int32 = 0
        let pid = vk_wait_any(!blocks, &code, &number)
        return pid > 0 ? (pid, number == 0 ? code : 128 + number) : nil
    }
}
