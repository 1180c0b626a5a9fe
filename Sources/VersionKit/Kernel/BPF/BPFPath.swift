import CLinux
import Glibc
package import VersionKitModel
import VersionKitProcesses

/// The fast path made of eBPF: programs at the host's ends of the environments' links and at the wire translate
/// addresses and hand packets on, past connection tracking and the host's IP stack (docs/kernel-path.md).
///
/// Needs Linux 6.6 and the right to use BPF and to administer the network. It belongs to the network namespace of the
/// thread that makes it; calls that name interfaces have to come from there. Nothing is pinned: everything vanishes with
/// this object or the process, and traffic is back on the slow path; connections on the fast path then break.
///
/// Somebody has to call ``maintain()`` every few seconds. Thread-safe; calls do not block on the network.
package final class BPFPath: KernelPath {
    package let kind = KernelPathKind.ebpf

    /// Whether the conversations of another process image go on here.
    package let hasResumed: Bool
    private let age: FlowAge
    let state: PathState<State>

    /// What is open. Within the lock, so that what two callers do comes one after the other.
    struct State: Sendable {
        let tables: RouterTables
        let host: HostAddresses
        let wireInterface: UInt32
        let wire: KernelAttachment
        /// By a version's address: the host's end of its link.
        var environments: [IPAddress: UInt32] = [:]
        /// The program at each of these.
        var links: [UInt32: KernelAttachment] = [:]
        var ports: Set<DirectPort> = []
        var routes: [DirectRoute: UInt16] = [:]
        /// Peers' direct ports to which no route is taken yet.
        var named: [DirectRoute: UInt16] = [:]
    }

    /// Attaches to the interface by which peers are reached. Nothing is translated before ports are opened.
    ///
    /// - Parameters:
    ///   - host: This host's addresses there, which peers know it by.
    ///   - wire: The interface, `eth0`.
    ///   - sizes: How much the tables hold. Tables that were handed over stay as large as they are.
    ///   - handover: What to go on with: its ports are open and its routes known. Conversations go on as well, unless the
    ///     tables look different by now, or the host has other addresses or another wire. It is used up in any case.
    package init(
        host: HostAddresses, wire: String, sizes: KernelTableSizes = .standard, age: FlowAge = .standard,
        resuming handover: Handover? = nil
    ) throws(KernelPathError) {
        self.age = age
        if let handover,
            let resumed = try? State(resuming: handover, host: host, wire: if_nametoindex(wire))
        {
            state = PathState(resumed)
            hasResumed = true
            return
        }
        let interface = try Self.index(of: wire)
        // A tunnel's packets, say, begin with their IP header; the programs would not find it.
        guard vk_is_ethernet(wire) == 1 else {
            throw KernelPathError("\(wire) is no Ethernet interface", isUnsupported: true)
        }
        let tables = try RouterTables(sizes: sizes)
        try tables.settings.set(0, vk_router_settings(host, wire: interface, changes: 1))
        var fresh = State(
            tables: tables, host: host, wireInterface: interface, wire: try Self.attach(tables.fromWire, to: interface))
        if let handover { fresh.open(as: handover) }
        state = PathState(fresh)
        hasResumed = false
    }

    /// Tries whether this kind of fast path can be had here: loads the programs and attaches them to the loopback for a
    /// moment, where they leave everything alone.
    ///
    /// - Returns: Why not, or `nil` if it can.
    package static func probe() -> KernelPathError? {
        do throws(KernelPathError) {
            let tables = try RouterTables(sizes: .probe)
            let loopback = try index(of: "lo")
            withExtendedLifetime(
                (try attach(tables.fromVersion, to: loopback), try attach(tables.fromWire, to: loopback))
            ) {}
            return nil
        } catch {
            return error
        }
    }

    package func open(_ port: DirectPort, interface: String) throws(KernelPathError) {
        let index = try Self.index(of: interface)
        try state.change { state throws(KernelPathError) in try state.open(port, interface: index) }
    }

    package func close(_ port: DirectPort) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in try state.close(port) }
    }

    package func learn(_ route: DirectRoute, to directPort: UInt16) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in try state.learn(route, to: directPort) }
    }

    package func name(_ route: DirectRoute, _ directPort: UInt16) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in try state.name(route, directPort) }
    }

    package func rest(_ route: DirectRoute) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in state.rest(route) }
    }

    package func forget(_ route: DirectRoute) throws(KernelPathError) {
        try state.change { state throws(KernelPathError) in state.forget(route) }
    }

    package func traffic() throws(KernelPathError) -> [KernelTraffic] {
        try state.change { state throws(KernelPathError) in
            var traffic: [KernelTraffic] = []
            try state.tables.traffic.forEach { key, counts in
                if let route = key.route { traffic.append(KernelTraffic(route: route, counts)) }
            }
            return traffic
        }
    }

    /// What was not carried, and why, since this was made.
    package func events() throws(KernelPathError) -> [KernelEvent: UInt64] {
        try state.change { state throws(KernelPathError) in
            var events: [KernelEvent: UInt64] = [:]
            for event in KernelEvent.allCases {
                events[event] = state.tables.events.values(event.rawValue).reduce(0, &+)
            }
            return events
        }
    }

    package func maintain() throws(KernelPathError) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        try forgetFlows(at: UInt32(truncatingIfNeeded: now.tv_sec))
    }

    /// As ``maintain()``, at a given time in seconds. Answers how many conversations are left.
    @discardableResult
    func forgetFlows(at now: UInt32) throws(KernelPathError) -> Int {
        try state.change { state throws(KernelPathError) in try state.forgetFlows(age, now: now) }
    }

    package func remove() {
        // The descriptors go with the state.
        _ = state.take()
    }

    /// The number of an interface of this thread's network namespace.
    static func index(of interface: String) throws(KernelPathError) -> UInt32 {
        let index = if_nametoindex(interface)
        guard index != 0 else { throw KernelPathError("\(SystemError("interface \(interface)"))") }
        return index
    }

    /// Attaches a program until the result is gone.
    static func attach(
        _ program: KernelDescriptor, to interface: UInt32
    ) throws(KernelPathError) -> KernelAttachment {
        do {
            return KernelAttachment(
                try KernelDescriptor(vk_bpf_attach(program.number, interface), "attach to interface \(interface)"))
        } catch {
            // Before Linux 6.6 there is no such hook (EINVAL); without the rights there is none either.
            throw KernelPathError(
                "\(error)", isUnsupported: [EINVAL, EPERM, EACCES, EOPNOTSUPP, ENOSYS].contains(error.code))
        }
    }
}

extension KernelTableSizes {
    /// The least.
    fileprivate static let probe: KernelTableSizes = {
        var sizes = KernelTableSizes()
        (sizes.environmentsMax, sizes.portsMax, sizes.routesMax) = (1, 1, 1)
        (sizes.flowsMax, sizes.countsMax) = (1, 1)
        return sizes
    }()
}
