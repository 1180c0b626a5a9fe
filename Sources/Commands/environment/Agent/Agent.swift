import CLinux
import Glibc
import VersionKitProcesses

/// The agent of an environment, process 1 there or a child subreaper: runs what nodes and operators say, tells how it ends, reaps orphans.
///
/// It listens on a socket. Each conversation has commands, lines whose words are separated by tabs, and an answer to
/// each in their order:
///
/// - `run PROGRAM ARGUMENT...`: to its end; `done CODE`
/// - `settings USER GROUP DIRECTORY DATA NAME=VALUE...`: how the version is started; DATA is its user's, `-` none; `done 0`
/// - `start PROGRAM ARGUMENT...`: the version itself; `started`. Every conversation hears `exited CODE` some day
/// - `state`: `running`; `ended CODE` if the version was started and has ended; `idle` otherwise
/// - `put MODE SIZE PATH`, then so many bytes: a file, with the directories that it needs; `done 0`
/// - `exec ROWS COLUMNS TERM PROGRAM ARGUMENT...`: a command for an operator; `open`, and from then on the conversation is
///   the command's, in frames (`ExecFrame`). Nothing may follow before the answer
/// - `pause`, `resume`: everything but the agent; `done 0`. The end of the conversation that said `pause` resumes, too
/// - `sync`: what was written is on disk; `done 0`
/// - `usage`: `used BYTES SECONDS TASKS`, of everything but the agent
/// - `stop MILLISECONDS`: SIGTERM to the version, SIGKILL to everything after that time; `stopped`, and the agent ends
///
/// What cannot be done is answered by `failed REASON`. A signal's exit code is 128 plus its number, as a shell has it.
/// Until the version is started the agent ends with the last conversation: nobody would know of what is half made. One that
/// ends without a word may be of somebody who waited too short for his connection, and is about to come again.
final class Agent {
    private static let conversationsMax = 16
    /// How long an agent with which nobody has spoken waits for somebody who comes again.
    private static let silenceLimit = Duration.seconds(5)

    private let listener: Int32
    /// Whether a conversation may be had over this socket.
    private let admits: (Int32) -> Bool
    /// Ends the environment.
    private let finish: () -> Never
    private var conversations: [Int32: Conversation] = [:]
    private let surroundings: Surroundings
    private var children: Children
    /// Whether the version was started: then the environment outlives its conversations.
    private var wasStarted = false
    /// When the agent ends unless somebody comes before.
    private var deadline: ContinuousClock.Instant?
    /// The conversation in which a pause was asked for that has not ended.
    private var pausing: Int32?

    init(
        listener: Int32, surroundings: Surroundings, admits: @escaping (Int32) -> Bool = { _ in true },
        finish: @escaping () -> Never = { exit(0) }
    ) {
        self.listener = listener
        self.surroundings = surroundings
        children = Children(surroundings)
        self.admits = admits
        self.finish = finish
        // Of several conversations one may have ended before it is accepted.
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK)
    }

    func run() -> Never {
        Others.keep()
        let signals = vk_child_signals()
        guard signals >= 0 else { Self.fail("watch for children: \(String(cString: strerror(errno)))") }
        while true {
            let sockets = conversations.filter { !$0.value.waits }.map(\.key)
            var watched = ([listener, signals] + sockets).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&watched, nfds_t(watched.count), patience) != 0 else { abandoned() }
            if watched[1].revents != 0 { reap(signals) }
            for entry in watched[2...] where entry.revents != 0 { hear(entry.fd) }
            if watched[0].revents != 0 { accept() }
        }
    }

    /// Ends with a reason for the log.
    static func fail(_ reason: String) -> Never {
        log(reason)
        exit(1)
    }

    static func log(_ line: String) {
        _ = "versionkit-environment: \(line)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// For how long to wait for something to do, in milliseconds.
    private var patience: Int32 {
        guard let deadline else { return -1 }
        return Int32(max(0, ((deadline - .now) / .milliseconds(1)).rounded(.up)))
    }

    private func accept() {
        let socket = vk_accept4(listener, 0)
        guard socket >= 0 else { return }
        guard conversations.count < Self.conversationsMax, admits(socket) else {
            close(socket)
            return
        }
        conversations[socket] = Conversation(socket)
        deadline = nil
    }

    private func hear(_ socket: Int32) {
        let isOpen = conversations[socket]?.read() ?? false
        while let command = conversations[socket]?.nextCommand() { obey(command, socket) }
        if !isOpen, conversations[socket] != nil { end(socket) }
    }

    private func end(_ socket: Int32) {
        // Whoever wanted a moment's rest has ended, and nobody else knows of it.
        if pausing == socket {
            pausing = nil
            _ = Others.signal(SIGCONT)
        }
        let wasSilent = conversations.removeValue(forKey: socket).map { !$0.hasSpoken } ?? false
        close(socket)
        guard conversations.isEmpty, !wasStarted else { return }
        if wasSilent { deadline = .now + Self.silenceLimit } else { abandoned() }
    }

    /// Without anybody who knows of it an environment that is being made would be there for ever.
    private func abandoned() -> Never {
        children.stop(within: 0)
        finish()
    }

    private func obey(_ command: Conversation.Command, _ socket: Int32) {
        let arguments = Array(command.words.dropFirst())
        switch command.words.first {
        case "run":
            switch children.spawn(
                arguments, change: { $0.environment.append("LD_LIBRARY_PATH=\(surroundings.runtime)") })
            {
            case .success(let pid):
                children.runs[pid] = socket
                conversations[socket]?.waits = true
            case .failure: answer("done 127", socket)
            }
        case "settings": answer(children.settle(arguments), socket)
        case "start":
            WritableRoot.close()
            switch children.start(arguments) {
            case .success:
                wasStarted = true
                answer("started", socket)
            case .failure(let error): answer("failed \(error)", socket)
            }
        case "exec":
            do throws(Failure) {
                try children.converse(arguments, over: socket)
                // It is the session's now.
                end(socket)
            } catch {
                answer("failed \(error)", socket)
            }
        case "state": answer(children.state, socket)
        case "put": answer(put(arguments, command.contents), socket)
        case "pause":
            pausing = socket
            answer(Pause.begin(), socket)
        case "resume":
            pausing = nil
            answer(Others.signal(SIGCONT), socket)
        case "sync": answer(WrittenFiles.flush(), socket)
        case "usage": answer(Usage.current(), socket)
        case "stop":
            children.stop(within: arguments.first.flatMap { Int($0) } ?? 0)
            answer("stopped", socket)
            finish()
        default: answer("failed '\(command.words.first ?? "")' is no command", socket)
        }
    }

    private func put(_ arguments: [String], _ contents: [UInt8]) -> String {
        guard arguments.count == 3, let mode = mode_t(arguments[0], radix: 8) else { return "failed put what?" }
        do throws(Failure) {
            try PlacedFile.write(contents, to: WritableRoot.path(surroundings.path(arguments[2])), mode: mode)
            return "done 0"
        } catch {
            return "failed \(error)"
        }
    }

    private func answer(_ line: String, _ socket: Int32) {
        let bytes = Array((line.replacing("\n", with: " ") + "\n").utf8)
        // Whoever does not read any more is noticed when the socket is read.
        _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }

    private func reap(_ signals: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(signals, &buffer, buffer.count) > 0 {}
        for end in children.reap() {
            switch end {
            case .run(let socket, let code):
                conversations[socket]?.waits = false
                answer("done \(code)", socket)
            case .version(let code):
                for socket in conversations.keys { answer("exited \(code)", socket) }
            }
        }
    }
}
