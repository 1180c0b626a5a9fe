package import VersionKitModel
import VersionKitProcesses

extension BPFPath {
    /// What the program that this process executes next needs to go on with a fast path.
    ///
    /// The kernel keeps what descriptors are open for: programs stay attached, tables keep what is in them, and packets go
    /// on while nobody looks.
    package struct Handover: Sendable, Codable {
        /// Which programs are attached.
        var programs = RouterProgram.digest
        /// What the tables look like.
        var layout = RouterProgram.layout
        let host: HostAddresses
        let wire: UInt32
        let tables: [String: InheritedDescriptor]
        let fromVersion: InheritedDescriptor
        let fromWire: InheritedDescriptor
        let wireLink: InheritedDescriptor
        let links: [UInt32: InheritedDescriptor]
        let environments: [IPAddress: UInt32]
        /// The direct ports that are open.
        package let ports: Set<DirectPort>
        /// The routes that are known, with the peers' direct ports.
        package let routes: [DirectRoute: UInt16]

        /// Ends all of it, where no such fast path is wanted any more.
        package func discard() {
            // No interface has the number 0: what was taken over is let go of at once.
            _ = try? State(resuming: self, host: host, wire: 0)
        }
    }

    /// Gives away everything; nothing is detached. Afterwards this object is as if it had been removed.
    ///
    /// - Returns: `nil` if it was removed before.
    package func handOver() -> Handover? { state.take()?.handOver() }
}

extension BPFPath.State {
    /// Gives away the descriptors.
    func handOver() -> BPFPath.Handover {
        BPFPath.Handover(
            host: host, wire: wireInterface, tables: tables.descriptors.mapValues { $0.handOver() },
            fromVersion: tables.fromVersion.handOver(), fromWire: tables.fromWire.handOver(),
            wireLink: wire.handOver(), links: links.mapValues { $0.handOver() }, environments: environments,
            ports: ports, routes: routes)
    }

    /// Goes on with what was handed over, all of which is this one's or closed from now on.
    ///
    /// Programs that differ are put in the place of the old ones, interface by interface. Answers `nil` if that cannot be:
    /// the tables look different, or the host's addresses or its wire are others.
    init?(resuming handover: BPFPath.Handover, host: HostAddresses, wire interface: UInt32) throws(KernelPathError) {
        let descriptors = handover.tables.mapValues { KernelDescriptor($0) }
        let programs = (KernelDescriptor(handover.fromVersion), KernelDescriptor(handover.fromWire))
        wire = KernelAttachment(KernelDescriptor(handover.wireLink))
        links = handover.links.mapValues { KernelAttachment(KernelDescriptor($0)) }
        guard handover.layout == RouterProgram.layout, handover.host == host, handover.wire == interface else {
            return nil
        }
        let isSame = handover.programs == RouterProgram.digest
        tables = try RouterTables(resuming: descriptors, programs: isSame ? programs : nil)
        if !isSame {
            // A version's packets first: either program knows what the other one writes.
            for link in links.values { try link.replace(with: tables.fromVersion) }
            try wire.replace(with: tables.fromWire)
        }
        self.host = host
        wireInterface = interface
        (environments, ports, routes) = (handover.environments, handover.ports, handover.routes)
    }

    /// Opens again in new tables what was open in others. What cannot be, as its interface is gone, is left out.
    mutating func open(as handover: BPFPath.Handover) {
        for port in handover.ports {
            guard let interface = handover.environments[port.version] else { continue }
            try? open(port, interface: interface)
        }
        for (route, directPort) in handover.routes { try? learn(route, to: directPort) }
    }
}
