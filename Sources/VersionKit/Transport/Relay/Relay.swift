import CLinux
package import NIOCore
package import VersionKitProcesses
import Glibc
import Synchronization
package import VersionKitModel
package import VersionKitRouter
package import VersionKitWire

/// The version router's slow path for TCP: epoll loops of its own that put headers on outbound connections, read them off
/// inbound ones, and move bytes.
///
/// One thread for every two cores; they share the ports (SO_REUSEPORT), and a connection stays with the thread that
/// accepted it. Decisions are values of VersionKitRouter; this is the shell. Thread-safe.
///
/// - Note: R5, R6, R8, R9; DESIGN 6.
package final class Relay: Sendable {
    /// What the relay tells its owner, on one of the relay's threads: the receiver must not block.
    package enum Event: Sendable {
        /// A peer's header was read on a connection to or from this registered port; the same one is told once a second
        /// by each thread.
        case heard(VersionHeader, from: IPAddress, port: TransportPort)
        /// A peer's router asks for something. The receiver owns the socket, and gets the bytes behind the header.
        case control(socket: Int32, VersionHeader, rest: ByteBuffer, from: IPAddress)
        /// A connection was closed for this reason.
        case refused(reason: String, peer: Endpoint)
    }

    /// Where the relay listens, and how it works.
    package struct Configuration: Sendable {
        /// The node's own addresses, on which peers reach the registered ports.
        package var addresses: HostAddresses
        /// The port to which intercepted connections are handed; no application may use it.
        package var transparentPort: UInt16
        /// Threads; `nil`: half as many as there are cores, for what they relay wants some, too.
        /// ``Limits/relayThreadsMax`` bounds both.
        package var threads: Int?
        /// Its bounds.
        package var limits: Limits

        /// A relay for these addresses; the rest has defaults.
        package init(
            addresses: HostAddresses, transparentPort: UInt16, threads: Int? = nil, limits: Limits = .standard
        ) {
            self.addresses = addresses
            self.transparentPort = transparentPort
            self.threads = threads
            self.limits = limits
        }

        /// Where intercepted connections are handed over: with one socket for each kind of address the node has.
        var transparentEndpoints: Set<Endpoint> {
            Set(addresses.families.map { Endpoint(address: $0.any, port: transparentPort) })
        }

        /// Where peers connect.
        func endpoints(of ports: Set<UInt16>) -> Set<Endpoint> {
            Set(addresses.all.flatMap { address in ports.map { Endpoint(address: address, port: $0) } })
        }
    }

    struct Shared {
        var table = RoutingTable()
        /// How often the table was replaced, and what each thread has seen of that.
        var generation = 0
        var seen: [Int]
        var ending = Ending.none
        /// Threads that have not ended.
        var running = 0
        /// What no thread has: before the start and after the end.
        var handover: Handover
        var isHandedOver: CheckedContinuation<Void, Never>?
    }

    /// Whether and how the relay ends.
    enum Ending {
        case none
        case stopped
        case handedOver
    }

    let configuration: Configuration
    let shared: Mutex<Shared>
    let ledger: RelayLedger
    let onEvent: @Sendable (Event) -> Void
    /// From this descriptor on none is taken for what may be done without.
    let spareDescriptorsFrom: Int32
    /// One for each thread: it wakes it.
    let wakes: [Int32]

    /// A relay that is not running yet.
    ///
    /// - Parameter resuming: what another relay left: this one goes on with it once it is started and has a table.
    /// - Throws: ``SystemError`` if there are no descriptors left.
    package init(
        _ configuration: Configuration, resuming: Handover? = nil, onEvent: @escaping @Sendable (Event) -> Void
    ) throws(SystemError) {
        self.configuration = configuration
        self.onEvent = onEvent
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        spareDescriptorsFrom = Int32(clamping: limit.rlim_cur / 10 * 9)
        ledger = RelayLedger(limits: configuration.limits, resuming?.ledger ?? .init())
        let wanted = configuration.threads ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2
        var wakes: [Int32] = []
        for _ in 0..<max(1, min(wanted, configuration.limits.relayThreadsMax)) {
            let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
            guard wake >= 0 else {
                let error = SystemError("eventfd")
                for wake in wakes { close(wake) }
                throw error
            }
            wakes.append(wake)
        }
        self.wakes = wakes
        shared = Mutex(Shared(seen: wakes.map { _ in -1 }, handover: resuming ?? Handover()))
    }

    deinit {
        for wake in wakes { close(wake) }
    }

    /// How many threads it has.
    package var threads: Int { wakes.count }

    /// What was done so far.
    package var counters: RelayCounters { ledger.counters }

    /// What was carried so far, by version and peer, in no order.
    package func traffic() -> [RelayTraffic] { ledger.traffic }

    /// Routes by this table from the next decision on; connections that stand live on.
    package func update(_ table: RoutingTable) {
        shared.withLock {
            $0.table = table
            $0.generation += 1
        }
        wakeAll()
    }

    /// Whether every thread routes by the last table, and listens on its ports if they were free.
    package var isUpToDate: Bool { shared.withLock { shared in shared.seen.allSatisfy { $0 == shared.generation } } }

    /// Ends the threads and resets the connections that stand.
    package func stop() {
        shared.withLock { $0.ending = .stopped }
        wakeAll()
    }

    func wakeAll() {
        for wake in wakes { eventfd_write(wake, 1) }
    }
}
