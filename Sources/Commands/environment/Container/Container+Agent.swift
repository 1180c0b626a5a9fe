import CLinux
import Glibc

/// The agent of a container whose memory can be kept: nothing that it has open is the node's.
extension Container {
    private static let backlog: Int32 = 8

    /// Becomes the agent.
    ///
    /// Until the first conversation has begun it holds the lock as the runtime did before: should the node end before that,
    /// the next one finds it by this.
    static func runAgent(_ arguments: [String]) throws(Failure) -> Never {
        guard arguments.count == 2 else { throw Failure("contained: SOCKET and LOG, not \(arguments)") }
        WritableRoot.take()
        // What others have a socket at.
        close(lock - 1)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        let log = open(arguments[1], O_WRONLY | O_APPEND | O_CLOEXEC)
        guard nothing >= 0, log >= 0 else { throw Failure(call: "open \(arguments[1])") }
        for (descriptor, number) in [(nothing, STDIN_FILENO), (log, STDOUT_FILENO), (log, STDERR_FILENO)] {
            guard dup2(descriptor, number) == number else { throw Failure(call: "dup2") }
        }
        close(nothing)
        close(log)
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0, vk_bind_unix(listener, arguments[0]) == 0, listen(listener, backlog) == 0 else {
            throw Failure(call: "listen at \(arguments[0])")
        }
        var held: Int32? = lock
        let agent = Agent(
            listener: listener, surroundings: try Surroundings(),
            admits: { socket in
                guard isOutside(socket) else { return false }
                if let descriptor = held { close(descriptor) }
                held = nil
                return true
            })
        agent.run()
    }

    /// Whether nobody in the container has the other end: the application sees the socket, too.
    private static func isOutside(_ socket: Int32) -> Bool {
        // Process, user and group; who is not in our process namespace has no number.
        var peer: [Int32] = [-1, 0, 0]
        var size = socklen_t(peer.count * MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer[0] == 0
    }
}
