import CLinux
package import VersionKitProcesses
import Glibc
import Synchronization
package import VersionKitProxy

/// One end of the conversation between `versiond` and a proxy process: a SOCK_SEQPACKET pair that carries
/// ``ProxyControl`` messages and descriptors.
///
/// Thread-safe. Owns its descriptor.
package final class ControlSocket: Sendable {
    private let descriptor: Int32
    private let sending = Mutex(())

    /// What comes from the other end.
    package enum Received: Sendable {
        /// A message, and the descriptor beside it, which the receiver owns.
        case message(ProxyControl, descriptor: Int32?)
        /// The other end is gone; nothing follows.
        case closed
    }

    /// Takes over a connected socket.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The descriptor, for the program that this process executes next. Of what comes meanwhile each message is received
    /// here or there, as a whole.
    package func handOver() -> InheritedDescriptor { InheritedDescriptor(descriptor) }

    /// Two connected ends: ours, and the descriptor for a child process, which the caller closes after it was started.
    ///
    /// - Throws: ``SystemError`` if there are no descriptors left.
    package static func pair() throws(SystemError) -> (ControlSocket, child: Int32) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SystemError("socketpair") }
        return (ControlSocket(descriptor: ends[0]), ends[1])
    }

    /// Sends one message. A descriptor beside it is duplicated for the receiver and stays the caller's.
    ///
    /// - Throws: ``SystemError`` if the other end is gone.
    package func send(_ message: ProxyControl, descriptor passed: Int32? = nil) throws(SystemError) {
        let bytes = message.encoded
        let result = sending.withLock { _ in
            let descriptors = passed.map { [$0] } ?? []
            return vk_send_descriptors(descriptor, bytes, bytes.count, descriptors, descriptors.count)
        }
        guard result >= 0 else { throw SystemError("send to the other end of a proxy's control socket") }
    }

    /// Whether a message can be sent without waiting for the other end to read.
    var hasRoom: Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&watched, 1, 0) > 0
    }

    /// Receives on a thread of its own until the other end is gone; `receive` is called on that thread.
    package func start(_ receive: @escaping @Sendable (Received) -> Void) {
        let thread = SystemThread(name: "proxy-control") { [self] in
            var buffer = [UInt8](repeating: 0, count: ProxyControl.bytesMax)
            while true {
                var passed: Int32 = -1
                var count = 0
                let length = vk_receive_descriptors(descriptor, &buffer, buffer.count, &passed, 1, &count)
                if length < 0, errno == EINTR { continue }
                guard length > 0, let message = ProxyControl(buffer[..<length]) else {
                    if count > 0 { close(passed) }
                    break
                }
                receive(.message(message, descriptor: count > 0 ? passed : nil))
            }
            receive(.closed)
        }
        thread.start()
    }

    /// Ends the conversation: both ends see it closed.
    package func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
