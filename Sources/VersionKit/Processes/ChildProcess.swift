import CLinux
import Glibc
import Synchronization

/// A process that this one started, known by its pidfd: it is signalled and waited for without a race on its number.
///
/// Thread-safe. It is reaped by a thread of its own as soon as it ends, whether anybody waits or not.
public final class ChildProcess: Sendable {
    /// How a process ended.
    public enum Exit: Sendable, Hashable, CustomStringConvertible {
        /// By itself, with this code.
        case code(Int32)
        /// By this signal.
        case signal(Int32)

        /// Whether it ended by itself with code 0.
        public var isSuccess: Bool { self == .code(0) }

        public var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let number): "signal \(number)"
            }
        }
    }

    /// What a process is started with.
    public struct Options: Sendable {
        /// The environment, `NAME=value`; by default this process's own.
        public var environment: [String]?
        /// A descriptor of the network namespace that it runs in.
        public var networkNamespace: Int32?
        /// Descriptors that it gets, by their numbers there. Nothing else is inherited but 0, 1 and 2.
        public var descriptors: [Int32: Int32] = [:]
        /// A session of its own: signals of the terminal do not reach it.
        public var newSession = true

        /// The defaults.
        public init() {}
    }

    /// The process's number.
    public let id: Int32
    private let pidfd: Int32
    private let state = Mutex(State.running(waiting: []))

    private enum State {
        case running(waiting: [CheckedContinuation<Exit, Never>])
        case ended(Exit)
    }

    /// Starts a program.
    ///
    /// - Throws: ``SystemError`` if it cannot be executed: then nothing was started.
    public static func spawn(
        _ program: String, _ arguments: [String], options: Options = Options()
    ) throws(SystemError) -> ChildProcess {
        var raw = RawSpawn()
        raw.environment = options.environment ?? Self.environment
        raw.networkNamespace = options.networkNamespace
        raw.descriptors = options.descriptors
        raw.newSession = options.newSession
        let (pid, pidfd) = try raw.spawn(program, arguments)
        return ChildProcess(id: pid, pidfd: pidfd)
    }

    private init(id: Int32, pidfd: Int32) {
        self.id = id
        self.pidfd = pidfd
        SystemThread(name: "reap-\(id)") { [self] in
            var code: Int32 = 0
            var number: Int32 = 0
            // One that was reaped already, by the program that this process executed before.
            if vk_wait(pidfd, false, &code, &number) != 1 { code = 255 }
            let exit = number == 0 ? Exit.code(code) : .signal(number)
            let waiting = state.withLock { state in
                defer { state = .ended(exit) }
                guard case .running(let waiting) = state else { return [CheckedContinuation<Exit, Never>]() }
                return waiting
            }
            for continuation in waiting { continuation.resume(returning: exit) }
        }.start()
    }

    deinit { close(pidfd) }

    /// What the program that this process executes next needs to go on with a child.
    package struct Handover: Sendable, Codable {
        /// The child's number.
        package var id: Int32
        /// Its pidfd.
        package var pidfd: InheritedDescriptor
    }

    /// A child for the program that this process executes next. It stays this object's too, if nothing is executed.
    package func handOver() -> Handover { Handover(id: id, pidfd: InheritedDescriptor(pidfd)) }

    /// Goes on with a child of the program that this process executed before. Of one that was reaped in between the exit
    /// code is not known: it is 255.
    package convenience init(resuming handover: Handover) {
        self.init(id: handover.id, pidfd: handover.pidfd.number)
    }

    /// How it ended, or `nil` while it runs.
    public var exit: Exit? {
        state.withLock { state in
            if case .ended(let exit) = state { exit } else { nil }
        }
    }

    /// Waits for its end.
    public func wait() async -> Exit {
        await withCheckedContinuation { continuation in
            let ended: Exit? = state.withLock { state in
                switch state {
                case .ended(let exit): return exit
                case .running(let waiting):
                    state = .running(waiting: waiting + [continuation])
                    return nil
                }
            }
            if let ended { continuation.resume(returning: ended) }
        }
    }

    /// Sends a signal; to a process that has ended it does nothing.
    public func send(_ signal: Int32) { _ = vk_pidfd_send_signal(pidfd, signal) }

    /// This process's environment.
    public static var environment: [String] {
        var result: [String] = []
        var entry = environ
        while let pointer = entry.pointee {
            result.append(String(cString: pointer))
            entry += 1
        }
        return result
    }
}
