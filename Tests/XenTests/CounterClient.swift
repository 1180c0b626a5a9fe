import CLinux
import Glibc
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A client of the counter in a network namespace: one request at a time, each of them a line.
final class CounterClient: Sendable {
    /// What became of requests.
    struct Numbers: Sendable {
        /// The last that the counter was told, and said to have.
        var count = 0
        /// The versions that answered.
        var versions: Set<String> = []
        /// Answers that are none.
        var failures: [String] = []
    }

    private static let answerSeconds = 60
    /// Between two rounds, in microseconds: the node has one processor, for all of this.
    private static let pause: UInt32 = 50_000

    private let namespace: Int32
    private let server: Endpoint
    private let numbers: Mutex<Numbers>
    private let isOver = Atomic(false)

    /// - Parameter count: what the counter has at least.
    init(in namespace: Int32, of server: Endpoint, count: Int = 0) {
        self.namespace = namespace
        self.server = server
        numbers = Mutex(Numbers(count: count))
    }

    /// The answer to one request on a connection of its own; what went wrong, if there is none.
    func ask(_ request: String) async -> String {
        await onThread("ask") { [self] in
            let socket = connect()
            defer { close(socket) }
            return ask(request, on: socket)
        }
    }

    /// Counts, on a connection that lasts, and asks for the count by new ones, until it is told to finish.
    func start() -> Task<Numbers, Never> {
        Task {
            await onThread("client") { [self] in
                let lasting = connect()
                defer { close(lasting) }
                while !isOver.load(ordering: .relaxed) {
                    let next = numbers.withLock { $0.count + 1 }
                    let told = ask("set \(next)", on: lasting)
                    let other = connect()
                    let answer = ask("get", on: other)
                    close(other)
                    let words = answer.split(separator: " ")
                    let isRight = told == "done" && words.count == 2 && words[1] == "\(next)"
                    numbers.withLock { numbers in
                        numbers.count = next
                        if isRight {
                            numbers.versions.insert(String(words[0]))
                        } else {
                            numbers.failures.append("set \(next): \(told), get: \(answer)")
                        }
                    }
                    guard isRight else { return }
                    usleep(Self.pause)
                }
            }
            return numbers.withLock { $0 }
        }
    }

    /// Has it stop after the round that is under way.
    func finish() { isOver.store(true, ordering: .relaxed) }

    private func connect() -> Int32 {
        let socket = vk_socket_in(namespace, server.address.family.system, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: Self.answerSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        _ = connectSocket(socket, to: server)
        return socket
    }

    private func ask(_ request: String, on socket: Int32) -> String {
        let line = request + "\n"
        guard send(socket, line, line.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else {
            return "not sent: \(String(cString: strerror(errno)))"
        }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return count == 0 ? "closed" : "no answer: \(String(cString: strerror(errno)))" }
        return String(decoding: buffer.prefix(count).dropLast(), as: UTF8.self)
    }
}

/// Tells one who connects, on this port of a network namespace, the address that it came from.
func greetOne(in namespace: Int32, at endpoint: Endpoint) throws {
    let listener = vk_socket_in(namespace, endpoint.address.family.system, Int32(SOCK_STREAM.rawValue), 0)
    try #require(bindSocket(listener, to: endpoint) && listen(listener, 1) == 0)
    SystemThread(name: "greet") {
        let socket = vk_accept4(listener, 0)
        let greeting = "\(remoteEndpoint(of: socket).map { "\($0.address)" } ?? "nobody")\n"
        _ = write(socket, greeting, greeting.utf8.count)
        close(socket)
        close(listener)
    }.start()
}
