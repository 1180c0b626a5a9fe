import CLinux
import Glibc
import VersionKitProcesses

/// Process 1 of an environment: runs what `versiond` says, tells how it ends, and reaps orphans.
///
/// Commands are lines whose words are separated by tabs:
///
/// - `run PROGRAM ARGUMENT...`: to its end; answered by `done CODE`
/// - `start PROGRAM ARGUMENT...`: the version itself; answered by `started`, and some day by `exited CODE`
/// - `stop MILLISECONDS`: SIGTERM to the version, SIGKILL to everything after that time; answered by `stopped`
///
/// A signal's exit code is 128 plus its number, as a shell has it.
final class Init {
    private static let lineMax = 64 << 10

    private var pending: [UInt8] = []
    /// The version's process, once started.
    private var version: pid_t?

    func run() -> Never {
        let signals = childSignals()
        var watched = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            _ = poll(&watched, 2, -1)
            if watched[1].revents != 0 {
                drain(signals)
                reap()
            }
            if watched[0].revents != 0, !readCommands() { exit(0) }
        }
    }

    /// A descriptor that becomes readable when a child ends.
    private func childSignals() -> Int32 {
        let descriptor = vk_child_signals()
        guard descriptor >= 0 else {
            Control.say("failed watch for children: \(String(cString: strerror(errno)))")
            exit(1)
        }
        return descriptor
    }

    private func drain(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(descriptor, &buffer, buffer.count) > 0 {}
    }

    private func reap() {
        var code: Int32 = 0
        var number: Int32 = 0
        while true {
            let pid = vk_wait_any(true, &code, &number)
            guard pid > 0 else { return }
            if pid == version {
                version = nil
                Control.say("exited \(number == 0 ? code : 128 + number)")
            }
        }
    }

    /// False: `versiond` is gone.
    private func readCommands() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        guard count > 0 else { return false }
        pending += buffer[..<count]
        while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
            let words = String(decoding: pending[..<end], as: UTF8.self).split(separator: "\t").map(String.init)
            pending.removeSubrange(...end)
            obey(words)
        }
        return pending.count <= Self.lineMax
    }

    private func obey(_ words: [String]) {
        let arguments = Array(words.dropFirst())
        switch words.first {
        case "run":
            guard let pid = spawn(arguments, environment: ["LD_LIBRARY_PATH=\(RootFileSystem.runtime)"]) else {
                return Control.say("done 127")
            }
            Control.say("done \(wait(for: pid))")
        case "start":
            version = spawn(arguments)
            Control.say(version == nil ? "failed the program cannot be executed" : "started")
        case "stop":
            stop(within: arguments.first.flatMap { Int($0) } ?? 0)
            Control.say("stopped")
        default: Control.say("failed '\(words.first ?? "")' is no command")
        }
    }

    /// Starts a program without any privilege; its output is the environment's log, standard error.
    private func spawn(_ arguments: [String], environment: [String] = []) -> pid_t? {
        guard let program = arguments.first else { return nil }
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { if nothing >= 0 { close(nothing) } }
        var raw = RawSpawn()
        raw.environment = ["PATH=/usr/bin:/bin:/run/versionkit", "HOME=/", "LANG=C.UTF-8"] + environment
        raw.descriptors = [0: nothing, 1: STDERR_FILENO, 2: STDERR_FILENO]
        raw.newSession = true
        raw.dropsCapabilities = true
        do throws(SystemError) {
            let (pid, pidfd) = try raw.spawn(program, Array(arguments.dropFirst()))
            close(pidfd)
            return pid
        } catch {
            let reason = "\(error)\n"
            _ = reason.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            return nil
        }
    }

    private func wait(for pid: pid_t) -> Int32 {
        var code: Int32 = 0
        var number: Int32 = 0
        while true {
            let ended = vk_wait_any(false, &code, &number)
            if ended == pid { return number == 0 ? code : 128 + number }
            if ended < 0 { return 127 }
            if ended == version { version = nil }
        }
    }

    /// Ends everything that runs here but this process.
    private func stop(within milliseconds: Int) {
        if let version {
            kill(version, SIGTERM)
            var left = milliseconds
            var code: Int32 = 0
            var number: Int32 = 0
            while self.version != nil, left > 0 {
                let ended = vk_wait_any(true, &code, &number)
                if ended == version { self.version = nil }
                if ended <= 0 {
                    poll(nil, 0, 5)
                    left -= 5
                }
            }
        }
        version = nil
        // From process 1 this reaches every other process of the namespace.
        kill(-1, SIGKILL)
        var code: Int32 = 0
        var number: Int32 = 0
        while vk_wait_any(false, &code, &number) > 0 {}
    }
}
