import CLinux
import Glibc
package import VersionKitModel
import VersionKitProcesses

/// The fast path of versions that run in the host's own network: programs at a version's control group of version 2 have
/// its sockets bound to its own address of the loopback and connected straight to peers' direct ports, and one at the wire
/// gives connections that come to direct ports to whom the version listens with (docs/kernel-path.md).
///
/// For TCP over IPv4; datagrams and what has no route are left to the relays, by their source. Needs Linux 6.6 and the
/// right to use BPF and to administer the network. It belongs to the network namespace of the thread that makes it. What
/// is at a control group goes with that group; everything else goes with this object or the process. Connections that
/// stand need neither. Thread-safe; calls do not block on the network.
package final class CgroupPath: KernelPath {
    package let kind = KernelPathKind.cgroup
    let state: PathState<State>

    /// What is open. Within the lock, so that what two callers do comes one after the other.
    struct State: Sendable {
        let tables: HostTables
        let host: IPAddress
        let wireInterface: UInt32
        let wire: KernelAttachment
        var registered: Set<TransportPort> = []
        var ports: Set<DirectPort> = []
        var routes: [DirectRoute: UInt16] = [:]
    }

    /// Attaches to the interface by which peers are reached, after trying it all with a control group that is made for it.
    ///
    /// - Parameters:
    ///   - host: this host's addresses there, which peers know it by.
    ///   - wire: the interface, `eth0`.
    ///   - groups: where the control groups of version 2 are mounted, `/sys/fs/cgroup`.
    ///   - handover: what to go on with: its ports are open, and its routes known. It is used up in any case.
    package init(
        host: HostAddresses, wire: String, groups: String, sizes: KernelTableSizes = .standard,
        resuming handover: Handover? = nil
    ) throws(KernelPathError) {
        if let handover, let resumed = try? State(resuming: handover, host: host, wire: if_nametoindex(wire)) {
            state = PathState(resumed)
            return
        }
        guard let address = host[.v4] else {
            throw KernelPathError(
                "versions in the host's network have IPv4 only, and the host has none",
                isUnsupported: true)
        }
        let tables = try HostTables(sizes: sizes)
        try Self.attempt(tables, host: address, groups: groups)
        let interface = try BPFPath.index(of: wire)
        var fresh = State(
            tables: tables, host: address, wireInterface: interface,
            wire: try BPFPath.attach(tables.toHost, to: interface))
        if let handover { try fresh.open(as: handover) }
        state = PathState(fresh)
    }

    /// Attaches everything to a control group that nobody is in.
    private static func attempt(
        _ tables: HostTables, host: IPAddress, groups: String
    ) throws(KernelPathError) {
        var template = Array("\(groups)/versionkit-probe-XXXXXX".utf8CString)
        guard let group = mkdtemp(&template).map({ String(cString: $0) }) else {
            throw KernelPathError("\(SystemError("make a control group in \(groups)"))", isUnsupported: true)
        }
        defer { rmdir(group) }
        try tables.attach(IPAddress.Family.v4.loopback, host: host, to: try directory(group))
    }

    private static func directory(_ path: String) throws(KernelPathError) -> KernelDescriptor {
        do {
            return try KernelDescriptor(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open \(path)")
        } catch {
            throw KernelPathError("\(error)")
        }
    }

    /// From now on the sockets of a control group obey a version's address, which has to be one of IPv4. What was attached
    /// to the group before is replaced; sockets that are bound or connected stay so.
    ///
    /// - Parameter group: the directory of a control group of version 2.
    package func attach(_ version: IPAddress, to group: String) throws(KernelPathError) {
        let directory = try Self.directory(group)
        try state.change { state throws(KernelPathError) in
            try state.tables.attach(version, host: state.host, to: directory)
        }
    }

    /// These ports are registered, and no others: what versions send there goes to the same version of a peer.
    package func register(_ ports: Set<TransportPort>) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in
            for port in ports.subtracting(state.registered) { try state.tables.registeredPorts.set(.init(port), 1) }
            for port in state.registered.subtracting(ports) { state.tables.registeredPorts.remove(.init(port)) }
            state.registered = ports
        }
    }

    /// Only for TCP. There is no interface: what it is called is not looked at.
    package func open(_ port: DirectPort, interface: String) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in try state.open(port) }
    }

    package func close(_ port: DirectPort) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in try state.close(port) }
    }

    package func learn(_ route: DirectRoute, to directPort: UInt16) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in try state.learn(route, to: directPort) }
    }

    package func forget(_ route: DirectRoute) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in
            if state.routes.removeValue(forKey: route) != nil { state.tables.routes.remove(.init(route)) }
        }
    }

    /// Packets that peers sent to direct ports, and connections of both directions: what versions send is not counted, nor
    /// what peers answer.
    package func traffic() throws(KernelPathError) -> [KernelTraffic] {
        try state.change { state throws(KernelPathError) in
            var traffic: [KernelTraffic] = []
            try state.tables.traffic.forEach { key, counts in
                var sum = KernelTraffic(route: key.route)
                for count in counts {
                    sum.connections &+= count.connections
                    sum.packetsIn &+= count.packets_in
                    sum.bytesIn &+= count.bytes_in
                }
                traffic.append(sum)
            }
            return traffic
        }
    }

    /// What was refused or left to the slow path, and why, since this was made.
    package func events() throws(KernelPathError) -> [HostEvent: UInt64] {
        try state.change { state throws(KernelPathError) in
            var events: [HostEvent: UInt64] = [:]
            for event in HostEvent.allCases {
                events[event] = state.tables.events.values(event.rawValue).reduce(0, &+)
            }
            return events
        }
    }

    /// Programs at control groups stay, without routes and direct ports: what they are for goes by the relays then.
    package func remove() {
        guard let state = self.state.take() else { return }
        for route in state.routes.keys { state.tables.routes.remove(.init(route)) }
    }
}

extension CgroupPath.State {
    mutating func open(_ port: DirectPort) throws(KernelPathError) {
        guard port.port.transport == .tcp, port.version.family == .v4 else {
            throw KernelPathError("no direct port for \(port.port): only TCP over IPv4 has them here")
        }
        guard !ports.contains(where: { $0 != port && $0.number == port.number }) else {
            throw KernelPathError("the direct port \(port.number) is taken")
        }
        try tables.directPorts.set(
            port.number.bigEndian,
            vk_host_direct_port(
                version: port.version.be32, host: host.be32, number: port.port.number.bigEndian, zero: 0))
        ports.insert(port)
    }

    mutating func close(_ port: DirectPort) throws(KernelPathError) {
        guard ports.remove(port) != nil else { return }
        tables.directPorts.remove(port.number.bigEndian)
        guard !ports.contains(where: { $0.version == port.version }) else { return }
        // The version's last: another one may get its address, and nothing of this one's.
        let version = port.version.be32
        for key in try tables.traffic.keys(where: { $0.version == version }) { tables.traffic.remove(key) }
        for key in try tables.names.keys(where: { $0.version == version }) { tables.names.remove(key) }
    }

    mutating func learn(_ route: DirectRoute, to directPort: UInt16) throws(KernelPathError) {
        guard route.port.transport == .tcp, route.peer.family == .v4, route.version.family == .v4 else {
            throw KernelPathError("no route to \(route.port) of \(route.peer): only TCP over IPv4 has them here")
        }
        // First the name, which whoever takes the route is shown.
        try tables.names.set(.init(route, port: directPort), route.port.number.bigEndian)
        try tables.routes.set(.init(route), directPort.bigEndian)
        routes[route] = directPort
    }
}
