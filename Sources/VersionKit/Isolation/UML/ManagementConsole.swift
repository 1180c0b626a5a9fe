import CLinux
import Glibc
import VersionKitProcesses

/// The management console of a machine: its kernel is spoken to, whether anything inside still works or not.
///
/// Names of sockets are relative to the machine's own directory, on both sides: the machine's process may not see the
/// directories above it, and a path may be longer than a socket's name.
struct ManagementConsole: Sendable {
    /// How long a machine may take to answer, in milliseconds. One that has much to do takes some.
    private static let answerMilliseconds: Int32 = 5000
    /// The machine's name for itself, and the directory where its console is.
    static let name = "console"
    /// The socket at which the node hears what the machine tells by itself.
    static let notices = "notices"

    /// The directory that the machine's process works in.
    let directory: String

    /// Tells the machine to do something.
    ///
    /// - Returns: what it says.
    @discardableResult
    func ask(_ request: ConsoleMessage.Request) async throws(IsolationError) -> String {
        try await inDirectory { () throws(IsolationError) in
            let own = "answers-\(UInt32.random(in: 0...UInt32.max))"
            let socket = try Self.open(at: own)
            defer {
                unlink(own)
                close(socket)
            }
            guard vk_connect_unix(socket, "\(Self.name)/mconsole") == 0 else {
                throw .system("reach the console of the machine in \(directory)")
            }
            let bytes = ConsoleMessage.encode(request)
            guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
                throw .system("tell the machine in \(directory) to \(request.text)")
            }
            var text = ""
            while true {
                guard Self.wait(for: [socket], milliseconds: Self.answerMilliseconds) == 0,
                    let answer = ConsoleMessage.answer(Self.receive(socket))
                else {
                    throw IsolationError("the kernel of the machine in \(directory) does not answer: \(request.text)")
                }
                text += answer.text
                guard !answer.isError || ConsoleMessage.isAlreadySo(request, text) else {
                    throw IsolationError("the machine cannot \(request.text): \(text)")
                }
                guard answer.hasMore else { return text }
            }
        }
    }

    /// Listens to what the machine tells by itself, before it is switched on.
    ///
    /// - Returns: a socket, the caller's.
    func listen() async throws(IsolationError) -> Int32 {
        try await inDirectory { () throws(IsolationError) in
            unlink(Self.notices)
            return try Self.open(at: Self.notices)
        }
    }

    /// Waits until a process inside has given notice.
    ///
    /// - Parameters:
    ///   - socket: what ``listen()`` returned.
    ///   - pidfd: of the machine's process.
    ///   - limit: how long that may take.
    /// - Throws: if the time is up, or the machine has failed.
    func waitForNotice(_ socket: Int32, pidfd: Int32, limit: Duration) async throws(IsolationError) {
        try await onThread("console") {
            Result { () throws(IsolationError) in
                let deadline = ContinuousClock.now + limit
                while true {
                    let left = Int32(max(0, (deadline - .now) / .milliseconds(1)))
                    switch Self.wait(for: [socket, pidfd], milliseconds: left) {
                    case 0:
                        switch ConsoleMessage.notice(Self.receive(socket)) {
                        case .user: return
                        case .panic, .hang: throw IsolationError("the machine's kernel has failed")
                        case .console, nil: continue
                        }
                    case 1: throw IsolationError("the machine was switched off")
                    default: throw IsolationError("the machine was not ready within \(limit)")
                    }
                }
            }
        }.get()
    }

    /// A socket that whoever can see it may write to: nobody but the machine's user comes into the directory.
    private static func open(at name: String) throws(IsolationError) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("make a socket") }
        guard vk_bind_unix(descriptor, name) == 0, chmod(name, 0o666) == 0 else {
            let error = IsolationError.system("make the socket \(name)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func receive(_ socket: Int32) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: ConsoleMessage.bytesMax)
        return Array(buffer[..<max(0, recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT)))])
    }

    /// The first of these descriptors from which something can be read; `nil`: the time is up.
    private static func wait(for descriptors: [Int32], milliseconds: Int32) -> Int? {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let count = poll(&entries, nfds_t(entries.count), milliseconds)
            if count < 0, errno == EINTR { continue }
            return count > 0 ? entries.firstIndex { $0.revents != 0 } : nil
        }
    }

    /// Runs something on a thread of its own that works in the machine's directory.
    private func inDirectory<Value: Sendable>(
        _ body: @escaping @Sendable () throws(IsolationError) -> Value
    ) async throws(IsolationError) -> Value {
        try await onThread("console") { [directory] in
            Result { () throws(IsolationError) in
                guard vk_unshare(CLONE_FS) == 0, chdir(directory) == 0 else { throw .system("go to \(directory)") }
                return try body()
            }
        }.get()
    }
}
