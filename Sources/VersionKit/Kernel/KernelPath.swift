package import VersionKitModel

/// The router's fast path: a part of the kernel that carries what user space has decided already.
///
/// User space sees the first packets of a conversation, learns from the peer's header which port of the peer's host leads
/// straight to its version, and says so here. From then on new connections and datagrams of that kind go by translation
/// of addresses in the kernel. A connection stays on the path on which it began. What the kernel cannot carry (fragments,
/// options, a source port that is taken) it leaves to the slow path, unchanged.
///
/// The caller keeps the lifetimes and forgets routes in time. Thread-safe. Calls are system calls that do not block on
/// the network.
///
/// - Note: R5, R8; DESIGN 6.
package protocol KernelPath: Sendable {
    /// What it is made of.
    var kind: KernelPathKind { get }

    /// From now on what comes to a direct port is delivered to its version, and what the version sends from the
    /// registered port leaves from the direct one.
    ///
    /// - Parameter interface: the host's end of the environment's link, `vk3`.
    func open(_ port: DirectPort, interface: String) throws(KernelPathError)

    /// What comes to the port meets a closed one. Flows of the version end; those of others are not touched.
    func close(_ port: DirectPort) throws(KernelPathError)

    /// New connections and datagrams take this route to a port of the peer; one that is known is replaced.
    func learn(_ route: DirectRoute, to directPort: UInt16) throws(KernelPathError)

    /// What comes from this port of the peer is shown as coming from the route's registered port, though nothing takes the
    /// route yet: datagrams of the peer may come by it before.
    func name(_ route: DirectRoute, _ directPort: UInt16) throws(KernelPathError)

    /// New connections, and datagrams at once, take the slow path again; what comes from the peer's port keeps its name.
    func rest(_ route: DirectRoute) throws(KernelPathError)

    /// New connections, and datagrams at once, take the slow path again.
    func forget(_ route: DirectRoute) throws(KernelPathError)

    /// What was carried so far, by environment, peer and registered port.
    func traffic() throws(KernelPathError) -> [KernelTraffic]

    /// Forgets conversations that are over. The caller calls it every few seconds.
    func maintain() throws(KernelPathError)

    /// Undoes everything on this node. It is undone as well when the process ends.
    func remove()

    /// Leaves everything as it is to the program that this process executes next. Afterwards this path is as if it had
    /// been removed.
    ///
    /// - Returns: `nil` if there is nothing that could go on.
    func leave() -> KernelPathHandover?
}

extension KernelPath {
    /// Nothing: for a path whose kernel forgets by itself.
    package func maintain() throws(KernelPathError) {}

    /// Nothing: for a path whose datagrams have no direct ports.
    package func name(_ route: DirectRoute, _ directPort: UInt16) throws(KernelPathError) {}

    /// As ``forget(_:)``: for a path that has no names, or keeps them by itself.
    package func rest(_ route: DirectRoute) throws(KernelPathError) { try forget(route) }

    /// Nothing: for a path that is made anew.
    package func leave() -> KernelPathHandover? { nil }
}

/// What a fast path is made of, best first.
package enum KernelPathKind: String, Sendable, CaseIterable, Codable {
    /// eBPF programs at the links' ends, translation and redirection without the host's IP stack.
    case ebpf
    /// nftables maps and connection tracking.
    case nftables
    /// eBPF at the sockets of versions that run in the host's own network namespace.
    case cgroup
}

/// What a fast path carried between a version here and a peer.
package struct KernelTraffic: Sendable, Hashable {
    /// Which way.
    package var route: DirectRoute
    /// Connections that began on it; 0 for UDP.
    package var connections: UInt64
    /// Packets that the version sent.
    package var packetsOut: UInt64
    /// Bytes of those packets, IP headers included.
    package var bytesOut: UInt64
    /// Packets that were delivered to the version.
    package var packetsIn: UInt64
    /// Bytes of those packets.
    package var bytesIn: UInt64

    /// A count.
    package init(
        route: DirectRoute, connections: UInt64 = 0, packetsOut: UInt64 = 0, bytesOut: UInt64 = 0,
        packetsIn: UInt64 = 0, bytesIn: UInt64 = 0
    ) {
        self.route = route
        self.connections = connections
        self.packetsOut = packetsOut
        self.bytesOut = bytesOut
        self.packetsIn = packetsIn
        self.bytesIn = bytesIn
    }
}

/// Why the kernel did not do what it was told.
package struct KernelPathError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried and what the kernel said.
    package let reason: String
    /// Whether this kind of fast path cannot be had on this node at all; then the next kind is tried.
    package let isUnsupported: Bool

    /// An error.
    package init(_ reason: String, isUnsupported: Bool = false) {
        self.reason = reason
        self.isUnsupported = isUnsupported
    }

    package var description: String { reason }
}
