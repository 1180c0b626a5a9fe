import CLinux
import VersionKitModel

// The entries of the tables, made of the model's values: C structures with addresses and ports in network byte order.

extension vk_be_address {
    /// An address.
    init(_ address: IPAddress) { self.init(high: address.high.bigEndian, low: address.low.bigEndian) }

    /// The address in the machine's order.
    var address: IPAddress { IPAddress(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low)) }

    static func == (left: Self, right: Self) -> Bool { left.high == right.high && left.low == right.low }
}

extension vk_router_settings {
    /// What the programs know of this host.
    init(_ host: HostAddresses, wire: UInt32, changes: UInt32) {
        self.init(
            host4: host[.v4].map(vk_be_address.init) ?? vk_be_address(),
            host6: host[.v6].map(vk_be_address.init) ?? vk_be_address(), wire: wire, changes: changes)
    }
}

extension vk_port_key {
    /// The key of a direct port.
    init(direct port: DirectPort, at host: IPAddress) { self.init(host, port.number, port.port.transport) }

    /// The key of the registered port that it stands for.
    init(registered port: DirectPort) { self.init(port.version, port.port.number, port.port.transport) }

    private init(_ owner: IPAddress, _ number: UInt16, _ transport: TransportProtocol) {
        self.init(
            owner: vk_be_address(owner), number: number.bigEndian, protocol: transport.rawValue, zero: 0, zero2: 0)
    }
}

extension vk_direct_port {
    /// What a direct port leads to.
    init(_ port: DirectPort, interface: UInt32) {
        self.init(
            version: vk_be_address(port.version), number: port.port.number.bigEndian, zero: 0, interface: interface)
    }
}

extension vk_route_key {
    /// The key of a route.
    init(_ route: DirectRoute) {
        self.init(route, port: route.port.number)
    }

    /// The key of the way back: the same with the peer's direct port.
    init(_ route: DirectRoute, port: UInt16) {
        self.init(
            version: vk_be_address(route.version), peer: vk_be_address(route.peer), port: port.bigEndian,
            protocol: route.port.transport.rawValue, zero: 0, zero2: 0)
    }

    /// The route of a key; `nil` if its protocol is none of ours.
    var route: DirectRoute? {
        guard let transport = TransportProtocol(rawValue: `protocol`) else { return nil }
        return DirectRoute(
            from: version.address, to: peer.address, port: TransportPort(UInt16(bigEndian: port), transport))
    }
}

extension vk_version_key {
    /// The name of a flow on the wire.
    func wireKey(_ flow: vk_version_flow) -> vk_wire_key {
        vk_wire_key(
            peer: peer, peer_port: flow.wire_peer, local_port: flow.wire_local, protocol: `protocol`, zero: 0,
            zero2: 0)
    }

    /// Whether this is a flow of a version from or to one of its registered ports.
    func concerns(_ port: DirectPort) -> Bool {
        let number = port.port.number.bigEndian
        return version == vk_be_address(port.version) && `protocol` == port.port.transport.rawValue
            && (local_port == number || peer_port == number)
    }
}

extension vk_wire_key {
    /// The name of a flow as its version sees it.
    func versionKey(_ flow: vk_wire_flow) -> vk_version_key {
        vk_version_key(
            version: flow.version, peer: peer, local_port: flow.local_port, peer_port: flow.peer_port,
            protocol: `protocol`, zero: 0, zero2: 0)
    }

    static func == (left: Self, right: Self) -> Bool {
        left.peer == right.peer && left.peer_port == right.peer_port && left.local_port == right.local_port
            && left.protocol == right.protocol
    }
}

extension FlowAge.Direction {
    /// What the kernel noted of a direction.
    init(_ life: vk_flow_life) {
        func has(_ flag: some BinaryInteger) -> Bool { life.flags & UInt32(flag) != 0 }
        self.init(
            seen: life.seen, spoke: has(vk_flow_spoke), isFinished: has(vk_flow_finished),
            isReset: has(vk_flow_reset))
    }
}

extension KernelTraffic {
    /// The sum of what each processor counted.
    init(route: DirectRoute, _ counts: some Sequence<vk_kernel_traffic>) {
        self.init(route: route)
        for count in counts {
            connections &+= count.connections
            packetsOut &+= count.packets_out
            bytesOut &+= count.bytes_out
            packetsIn &+= count.packets_in
            bytesIn &+= count.bytes_in
        }
    }
}
