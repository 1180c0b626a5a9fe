import CLinux
import VersionKitModel

extension BPFPath.State {
    /// Opens a port; an environment is attached to with its first.
    mutating func open(_ port: DirectPort, interface: UInt32) throws(KernelPathError) {
        let version = port.version
        let host = try address(towards: version)
        let isTaken = ports.contains {
            $0 != port && $0.port.transport == port.port.transport && $0.version.family == version.family
                && ($0.number == port.number || ($0.version == version && $0.port == port.port))
        }
        if isTaken { throw KernelPathError("the direct port \(port.number) or what it stands for is taken") }
        try attach(version, to: interface)
        ports.insert(port)
        do throws(KernelPathError) {
            try tables.registeredPorts.set(.init(registered: port), port.number.bigEndian)
            try tables.directPorts.set(.init(direct: port, at: host), .init(port, interface: interface))
        } catch {
            try close(port)
            throw error
        }
    }

    /// This host's address of the kind that a version's address is of, which both have to be such that peers reach.
    private func address(towards version: IPAddress) throws(KernelPathError) -> IPAddress {
        guard version.isUnicast, !version.isLinkLocal, let host = host[version.family] else {
            throw KernelPathError("no fast path for \(version): this host has \(host)")
        }
        return host
    }

    /// Has what a version sends seen by the program. A version's two addresses share a link.
    private mutating func attach(_ version: IPAddress, to interface: UInt32) throws(KernelPathError) {
        // A link that was made anew has another number, and the program went with the old one.
        if links[interface] == nil {
            links[interface] = try BPFPath.attach(tables.fromVersion, to: interface)
        }
        if environments[version] != interface {
            try tables.environments.set(vk_be_address(version), interface)
            environments[version] = interface
            detachFromUnused()
        }
    }

    private mutating func detachFromUnused() {
        let used = Set(environments.values)
        links = links.filter { used.contains($0.key) }
    }

    /// Closes a port, and ends what went by it.
    mutating func close(_ port: DirectPort) throws(KernelPathError) {
        guard ports.remove(port) != nil else { return }
        if let host = host[port.version.family] { tables.directPorts.remove(.init(direct: port, at: host)) }
        tables.registeredPorts.remove(.init(registered: port))
        let version = vk_be_address(port.version)
        if !ports.contains(where: { $0.version == port.version }) {
            // The environment's last: nothing of it is left, nor of what it was counted under.
            environments[port.version] = nil
            detachFromUnused()
            tables.environments.remove(version)
            try endFlows { $0.version == version }
            for key in try tables.traffic.keys(where: { $0.version == version }) { tables.traffic.remove(key) }
        } else {
            try endFlows { $0.concerns(port) }
        }
    }

    /// Routes: the way there, and what the version is to see of answers and of what the peer begins.
    mutating func learn(_ route: DirectRoute, to directPort: UInt16) throws(KernelPathError) {
        if let known = routes[route] {
            if known == directPort { return }
            tables.peerPorts.remove(.init(route, port: known))
        }
        if let known = named.removeValue(forKey: route), known != directPort {
            tables.peerPorts.remove(.init(route, port: known))
        }
        // Those who ask for the route have to find the way back.
        try tables.peerPorts.set(.init(route, port: directPort), route.port.number.bigEndian)
        do throws(KernelPathError) {
            try tables.routes.set(.init(route), directPort.bigEndian)
        } catch {
            tables.peerPorts.remove(.init(route, port: directPort))
            throw error
        }
        routes[route] = directPort
        noteChange()
        forgetUnknownSource(route, directPort)
    }

    /// The way back alone: of what the peer begins.
    mutating func name(_ route: DirectRoute, _ directPort: UInt16) throws(KernelPathError) {
        guard routes[route] == nil, named[route] != directPort else { return }
        if let known = named.removeValue(forKey: route) { tables.peerPorts.remove(.init(route, port: known)) }
        try tables.peerPorts.set(.init(route, port: directPort), route.port.number.bigEndian)
        named[route] = directPort
        noteChange()
        forgetUnknownSource(route, directPort)
    }

    /// New ones take the slow path, but the way back stays.
    mutating func rest(_ route: DirectRoute) {
        guard let known = routes.removeValue(forKey: route) else { return }
        tables.routes.remove(.init(route))
        named[route] = known
        noteChange()
    }

    /// New ones take the slow path.
    mutating func forget(_ route: DirectRoute) {
        if let known = named.removeValue(forKey: route) {
            tables.peerPorts.remove(.init(route, port: known))
            return noteChange()
        }
        guard let known = routes.removeValue(forKey: route) else { return }
        tables.routes.remove(.init(route))
        tables.peerPorts.remove(.init(route, port: known))
        noteChange()
    }

    /// What the programs concluded from the routes before has to be looked up again.
    private func noteChange() {
        // One of the flows' bits is for what was found; 0 is for those that looked for nothing yet.
        let changes = (tables.settings[0]?.changes ?? 0) % (.max / 2) + 1
        // An entry of an array is always there, and there is room for it.
        try? tables.settings.set(0, vk_router_settings(host, wire: wireInterface, changes: changes))
    }

    /// Datagrams that the peer sent from its port before the route was known showed its direct port as their source.
    /// From now on they shall show the registered one.
    private func forgetUnknownSource(_ route: DirectRoute, _ directPort: UInt16) {
        guard route.port.transport == .udp else { return }
        for port in ports where port.version == route.version && port.port.transport == .udp {
            let key = route.unknownSource(directPort, local: port)
            if let flow = tables.versionFlows[key] {
                tables.wireFlows.remove(key.wireKey(flow))
                tables.versionFlows.remove(key)
            }
        }
    }
}
