import VersionKitModel
import VersionKitProcesses

extension CgroupPath {
    /// What the program that this process executes next needs to go on. Programs at control groups stay attached by
    /// themselves.
    package struct Handover: Sendable, Codable {
        /// What the tables look like.
        var layout = HostProgram.layout
        /// Which programs are attached.
        var programs = HostProgram.digest
        let host: IPAddress
        let wire: UInt32
        let tables: [String: InheritedDescriptor]
        let link: InheritedDescriptor
        let registered: Set<TransportPort>
        let ports: Set<DirectPort>
        let routes: [DirectRoute: UInt16]

        /// Ends all of it, where no such fast path is wanted any more.
        package func discard() {
            // No interface has the number 0: what was taken over is let go of at once.
            _ = try? State(resuming: self, host: HostAddresses(host), wire: 0)
        }
    }

    package func leave() -> KernelPathHandover? {
        guard let state = self.state.take() else { return nil }
        return .cgroup(
            Handover(
                host: state.host, wire: state.wireInterface,
                tables: state.tables.descriptors.mapValues { $0.handOver() }, link: state.wire.handOver(),
                registered: state.registered, ports: state.ports, routes: state.routes))
    }
}

extension CgroupPath.State {
    /// Goes on with what was handed over, all of which is this one's or closed from now on. `nil`: the tables look
    /// different, or the host's address or its wire are others.
    init?(resuming handover: CgroupPath.Handover, host: HostAddresses, wire interface: UInt32) throws(KernelPathError) {
        let descriptors = handover.tables.mapValues { KernelDescriptor($0) }
        wire = KernelAttachment(KernelDescriptor(handover.link))
        guard handover.layout == HostProgram.layout, handover.host == host[.v4], handover.wire == interface else {
            return nil
        }
        tables = try HostTables(sizes: .standard, resuming: descriptors)
        if handover.programs != HostProgram.digest { try wire.replace(with: tables.toHost) }
        (self.host, wireInterface) = (handover.host, interface)
        (registered, ports, routes) = (handover.registered, handover.ports, handover.routes)
    }

    /// Opens again in new tables what was open in others.
    mutating func open(as handover: CgroupPath.Handover) throws(KernelPathError) {
        for port in handover.registered { try tables.registeredPorts.set(.init(port), 1) }
        registered = handover.registered
        for port in handover.ports { try open(port) }
        for (route, directPort) in handover.routes { try learn(route, to: directPort) }
    }
}
