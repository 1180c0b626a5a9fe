package import NIOCore
import CLinux
package import VersionKitProcesses
import Glibc
import Synchronization
package import VersionKitModel
package import VersionKitRouter
package import VersionKitWire

/// The version router's slow path: an epoll loop of its own that puts headers on outbound connections, reads them off
/// inbound ones, and moves bytes.
///
/// One thread does all of it. Decisions are ``RoutingTable``'s; this is the shell. Thread-safe.
///
/// - Note: R5, R6, R8; DESIGN 6.
package final class Relay: Sendable {
    /// What the relay tells its owner, on the relay's thread: the receiver must not block.
    package enum Event: Sendable {
        /// A peer's header was read.
        case heard(VersionHeader, from: IPv4Address)
        /// A peer's router asks for something. The receiver owns the socket, and gets the bytes behind the header.
        case control(socket: Int32, VersionHeader, rest: ByteBuffer, from: IPv4Address)
        /// A connection was closed for this reason.
        case refused(reason: String, peer: Endpoint)
    }

    /// Where the relay listens.
    package struct Configuration: Sendable {
        /// The node's own address, on which peers reach the registered ports.
        package var address: IPv4Address
        /// The port to which intercepted connections are handed; no application may use it.
        package var transparentPort: UInt16
        /// Its bounds.
        package var limits: Limits

        /// Where the relay listens.
        package init(address: IPv4Address, transparentPort: UInt16, limits: Limits = .standard) {
            self.address = address
            self.transparentPort = transparentPort
            self.limits = limits
        }
    }

    struct Shared {
        var table = RoutingTable()
        var counters = RelayCounters()
        var isStopped = false
    }

    let configuration: Configuration
    let shared = Mutex(Shared())
    private let wake: Int32
    private let onEvent: @Sendable (Event) -> Void

    /// A relay that is not running yet.
    ///
    /// - Throws: ``SystemError`` if there are no descriptors left.
    package init(_ configuration: Configuration, onEvent: @escaping @Sendable (Event) -> Void) throws(SystemError) {
        self.configuration = configuration
        self.onEvent = onEvent
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wake >= 0 else { throw SystemError("eventfd") }
    }

    deinit { close(wake) }

    /// What was done so far.
    package var counters: RelayCounters { shared.withLock { $0.counters } }

    /// Routes by this table from the next decision on; connections that stand live on.
    package func update(_ table: RoutingTable) {
        shared.withLock { $0.table = table }
        eventfd_write(wake, 1)
    }

    /// Starts the relay's thread.
    ///
    /// - Throws: ``SystemError`` if the transparent port cannot be listened on.
    package func start() throws(SystemError) {
        let anyAddress = Endpoint(address: IPv4Address(number: 0), port: configuration.transparentPort)
        let listener = try Sockets.listen(on: anyAddress, transparent: true)
        let thread = SystemThread(name: "relay") { [self] in
            RelayLoop(self, listener: listener, wake: wake, onEvent: onEvent)?.run()
        }
        thread.start()
    }

    /// Ends the thread and resets the connections that stand.
    package func stop() {
        shared.withLock { $0.isStopped = true }
        eventfd_write(wake, 1)
    }
}
