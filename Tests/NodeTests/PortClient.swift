import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitTestbed

/// A client of the service behind several ports: one request at a time, a line or a datagram each.
final class PortClient: Sendable {
    /// What became of requests.
    struct Numbers: Sendable {
        /// Answers by the version that gave them.
        var answers: [String: Int] = [:]
        /// What was answered that is no version, and connections that ended.
        var failures: [String] = []
    }

    private let descriptor: Int32
    private let numbers = Mutex(Numbers())
    private let isOver = Atomic(false)

    /// A client on a host that sends datagrams.
    init(on host: TestbedHost, datagramsTo server: Endpoint) throws {
        descriptor = try host.socket(domain: server.address.family.system, type: Int32(SOCK_DGRAM.rawValue))
        guard connectSocket(descriptor, to: server) else { throw SystemError("connect to UDP \(server)") }
        setPatience()
    }

    /// A client in a network namespace.
    ///
    /// - Parameters:
    ///   - kind: a connection or datagrams.
    ///   - seconds: how long it waits for an answer.
    init(in namespace: Int32, _ kind: SocketKind, to server: Endpoint, seconds: Int = 20) throws {
        let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
        descriptor = vk_socket_in(namespace, server.address.family.system, Int32(type.rawValue), 0)
        guard connectSocket(descriptor, to: server) else { throw SystemError("connect to \(server)") }
        setPatience(seconds)
    }

    /// A client of a Unix socket.
    init(socket path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard vk_connect_unix(descriptor, path) == 0 else { throw SystemError("connect to \(path)") }
        setPatience()
    }

    deinit { close(descriptor) }

    private func setPatience(_ seconds: Int = 20) {
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The answer to one request; what went wrong, if there is none. Blocks.
    func ask(_ request: String = "get\n") -> String {
        guard send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else {
            return "not sent: \(String(cString: strerror(errno)))"
        }
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return count == 0 ? "closed" : "no answer: \(String(cString: strerror(errno)))" }
        return String(decoding: buffer.prefix(count).dropLast(), as: UTF8.self)
    }

    /// Asks until it is told to finish, or a request fails.
    ///
    /// - Parameter pause: between an answer and the next request, in microseconds: clients without any leave no
    ///   processor to what they are to outlive.
    func start(pause: UInt32 = 0) -> Task<Numbers, Never> {
        Task {
            await onThread("port-client") { [self] in
                while !isOver.load(ordering: .relaxed) {
                    let answer = ask()
                    let isAnswer = UInt32(answer) != nil
                    numbers.withLock {
                        if isAnswer { $0.answers[answer, default: 0] += 1 } else { $0.failures.append(answer) }
                    }
                    if !isAnswer { break }
                    if pause > 0 { usleep(pause) }
                }
            }
            return numbers.withLock { $0 }
        }
    }

    /// How many requests were answered so far.
    var answered: Int { numbers.withLock { $0.answers.values.reduce(0, +) } }

    /// Has it stop after the request that is under way.
    func finish() { isOver.store(true, ordering: .relaxed) }
}
