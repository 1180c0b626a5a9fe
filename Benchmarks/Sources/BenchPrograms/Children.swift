import Foundation
import Glibc
import Synchronization

/// All programs that are running for us, so that none outlives us.
///
/// Thread-safe: a signal ends them from a thread of its own.
package enum Children {
    private struct State {
        var running: Set<pid_t> = []
        var directory: String?
    }

    private static let state = Mutex(State())
    /// How long a program may take to end by itself.
    private static let patience = 3.0

    /// The folder that goes when we do.
    package static func remember(directory: String) { state.withLock { $0.directory = directory } }

    /// Starts a program. What it prints goes to a file, since a full pipe would stop it.
    package static func start(_ name: String, _ program: String, _ arguments: [String], log: String) throws -> Child {
        try state.withLock { state in
            let id = try spawn(program, arguments, log: log)
            state.running.insert(id)
            return Child(name: name, id: id, log: log)
        }
    }

    /// Whether it has ended, and how: an exit code, or 128 and the number of the signal.
    package static func exitCode(of child: Child) -> Int32? {
        state.withLock { state in
            guard state.running.contains(child.id) else { return 128 + SIGKILL }
            return reap(child.id, &state)
        }
    }

    /// Ends a program and waits until it has gone. The signal is for programs that must not know that they end.
    package static func stop(_ child: Child, signal: Int32 = SIGTERM) {
        state.withLock { end([child.id], signal, &$0) }
    }

    /// Waits until a program ends by itself.
    package static func wait(for child: Child, seconds: Double) throws -> Int32 {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if let code = exitCode(of: child) { return code }
            usleep(2000)
        }
        stop(child)
        throw BenchError("\(child.name) did not end within \(Int(seconds)) s: \(child.lastWords)")
    }

    /// The time that processors have spent on programs that have ended, in seconds.
    package static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
    }

    /// Ends all that still runs, after a measure that failed.
    package static func stopAll() { state.withLock { end($0.running, SIGTERM, &$0) } }

    /// Ends everything, and this program with it. Never returns, so that nobody starts anything behind its back.
    package static func exitAll(_ code: Int32) -> Never {
        state.withLock { state in
            end(state.running, SIGTERM, &state)
            if let directory = state.directory { try? FileManager.default.removeItem(atPath: directory) }
            fflush(nil)
            _exit(code)
        }
    }

    private static func end(_ ids: Set<pid_t>, _ signal: Int32, _ state: inout State) {
        var left = ids.intersection(state.running)
        for id in left { kill(id, signal) }
        let deadline = Date().addingTimeInterval(patience)
        while !left.isEmpty {
            left = left.filter { reap($0, &state) == nil }
            guard Date() < deadline else { break }
            usleep(2000)
        }
        for id in left {
            // With its group: nginx's worker would live on without its master.
            kill(-id, SIGKILL)
            var status: Int32 = 0
            waitpid(id, &status, 0)
            state.running.remove(id)
        }
    }

    /// A number is only signalled while it is ours: once waited for, it may be anybody's.
    private static func reap(_ id: pid_t, _ state: inout State) -> Int32? {
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return nil }
        state.running.remove(id)
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }

    /// POSIX_SPAWN_SETSID, which Swift's Glibc lacks.
    private static let ownSession: Int32 = 0x80

    private static func spawn(_ program: String, _ arguments: [String], log: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        // A session of its own: the terminal's Ctrl-C reaches only us, who end the children in order; and by sessions the
        // kernel shares processors out, where it does so (`kernel.sched_autogroup_enabled`): what runs in environments has
        // some of its own, too. And ordinary signals, whatever we block.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(
            &attributes, Int16(ownSession | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var ordinary = sigset_t()
        sigemptyset(&ordinary)
        sigaddset(&ordinary, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &ordinary)

        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, program, &actions, &attributes, &words, environ)
        guard code == 0 else { throw BenchError("\(program): \(String(cString: strerror(code)))") }
        return id
    }
}
