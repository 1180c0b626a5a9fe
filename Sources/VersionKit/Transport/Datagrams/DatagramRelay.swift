import CLinux
import Glibc
import Synchronization
package import VersionKitModel
package import VersionKitProcesses
package import VersionKitRouter
package import VersionKitWire

/// The version router's slow path for UDP: puts a header in front of each datagram that a version sends to a registered
/// port of a peer, and takes it off and delivers by it at the other end.
///
/// One thread, and for each registered port one socket of each kind of IP that takes both what versions send (the kernel hands it over, with
/// the peer's address still on it) and what peers' routers send. Versions see the peer's own address and port. Decisions
/// are ``RoutingTable``'s; this is the shell. Thread-safe.
///
/// The kernel has to hand over what comes from environments to a port for which there is a transparent socket
/// (`socket transparent` in nftables, a mark, a local route), ICMP included, and must not demultiplex early
/// (`udp_early_demux`).
///
/// - Note: R5, R6, R8; DESIGN 6.
package final class DatagramRelay: Sendable {
    /// What the relay tells its owner, on the relay's thread: the receiver must not block.
    package enum Event: Sendable {
        /// A peer's header was read: the first of a conversation, one that is not as the last, or once a second.
        /// `isMutual`: whether the peer has heard of the direct port here.
        case heard(VersionHeader, from: IPAddress, port: UInt16, deliveredTo: Version, isMutual: Bool)
        /// A peer's router says something to this one, of so many bytes behind the header.
        case control(VersionHeader, payload: [UInt8], from: IPAddress, port: UInt16)
        /// The last table that was given is in force: these ports have a socket for each kind of address of the node.
        case ready(ports: Set<UInt16>)
        /// A registered port cannot be had.
        case failed(port: UInt16, SystemError)
    }

    /// Where the relay works.
    package struct Configuration: Sendable {
        /// The node's own addresses, on which peers reach the registered ports.
        package var addresses: HostAddresses
        /// A network namespace for its sockets; `nil`: the one in which it is started. The descriptor stays the caller's
        /// and has to be open until the first ``Event/ready(ports:)``.
        package var networkNamespace: Int32?
        /// Its bounds.
        package var limits: Limits

        /// Where the relay works.
        package init(addresses: HostAddresses, networkNamespace: Int32? = nil, limits: Limits = .standard) {
            self.addresses = addresses
            self.networkNamespace = networkNamespace
            self.limits = limits
        }
    }

    struct Shared {
        var table = RoutingTable()
        var counters = DatagramCounters()
        /// Whether a table was given.
        var hasTable = false
        var isStarted = false
        var isStopped = false
        /// The loop is to leave what it has to another relay.
        var isHandingOver = false
        /// What another relay left to this one, until it runs; then what it leaves to the next.
        var resuming: Handover?
        /// Those who wait until the table is in force.
        var waiting: [@Sendable () -> Void] = []
    }

    let configuration: Configuration
    let shared = Mutex(Shared())
    let wake: Int32
    private let ended: Int32
    let onEvent: @Sendable (Event) -> Void

    /// A relay that is not running yet.
    ///
    /// - Parameter handover: what another relay left. This one goes on with it once it was started and has a table.
    /// - Throws: ``SystemError`` if there are no descriptors left.
    package init(
        _ configuration: Configuration, resuming handover: Handover? = nil, onEvent: @escaping @Sendable (Event) -> Void
    ) throws(SystemError) {
        self.configuration = configuration
        self.onEvent = onEvent
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        ended = eventfd(0, Int32(EFD_CLOEXEC))
        guard wake >= 0, ended >= 0 else { throw SystemError("eventfd") }
        guard let handover else { return }
        shared.withLock { shared in
            shared.resuming = handover
            shared.counters = handover.counters
        }
    }

    deinit {
        close(wake)
        close(ended)
    }

    /// What was done so far.
    package var counters: DatagramCounters { shared.withLock { $0.counters } }

    /// Routes by this table from the next datagram on.
    ///
    /// - Parameter whenInForce: called on the relay's thread when its ports have sockets, as far as they can be had; at
    ///   once when the relay was stopped.
    package func update(_ table: RoutingTable, whenInForce: (@Sendable () -> Void)? = nil) {
        let isStopped = shared.withLock { shared in
            shared.table = table
            shared.hasTable = true
            if let whenInForce, !shared.isStopped { shared.waiting.append(whenInForce) }
            return shared.isStopped
        }
        if isStopped { whenInForce?() }
        eventfd_write(wake, 1)
    }

    /// The thread ends: no table will be in force any more.
    private func threadEnds() {
        let waiting = shared.withLock { shared in
            defer { shared.waiting = [] }
            shared.isStopped = true
            return shared.waiting
        }
        for tell in waiting { tell() }
        eventfd_write(ended, 1)
    }

    /// Starts the relay's thread.
    package func start() {
        shared.withLock { $0.isStarted = true }
        SystemThread(name: "datagrams") { [self] in
            if let namespace = configuration.networkNamespace, vk_setns(namespace, CLONE_NEWNET) != 0 {
                onEvent(.failed(port: 0, SystemError("setns")))
                return threadEnds()
            }
            do throws(SystemError) {
                let loop = try DatagramLoop(self)
                loop.run()
                if shared.withLock({ $0.isHandingOver }) {
                    let handover = loop.handOver()
                    shared.withLock { $0.resuming = handover }
                }
            } catch {
                onEvent(.failed(port: 0, error))
            }
            threadEnds()
        }.start()
    }

    /// Ends the thread and leaves everything else as it is, for another relay to go on with: what comes meanwhile waits in
    /// the sockets. Whatever had come is dealt with before. The relay is of no use afterwards.
    ///
    /// Blocks until the thread has ended: some milliseconds.
    package func handOver() -> Handover {
        let isStarted = shared.withLock { shared in
            shared.isHandingOver = true
            shared.isStopped = true
            return shared.isStarted
        }
        eventfd_write(wake, 1)
        var value: eventfd_t = 0
        if isStarted { eventfd_read(ended, &value) }
        return shared.withLock { shared in
            defer { shared.resuming = nil }
            return shared.resuming ?? Handover()
        }
    }

    /// Ends the thread and forgets all conversations.
    package func stop() {
        shared.withLock { $0.isStopped = true }
        eventfd_write(wake, 1)
    }
}
