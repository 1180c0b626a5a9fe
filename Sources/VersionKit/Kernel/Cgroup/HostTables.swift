import CLinux
import VersionKitModel
import VersionKitProcesses

/// The tables of versions in the host's own network, and the program at the wire. What is at a version's control group is
/// loaded for each with its own address.
struct HostTables: Sendable {
    let registeredPorts: KernelTable<vk_host_port, UInt8>
    let directPorts: KernelTable<UInt16, vk_host_direct_port>
    let routes: KernelTable<vk_host_route, UInt16>
    let names: KernelTable<vk_host_route, UInt16>
    let traffic: KernelTable<vk_host_route, vk_host_traffic>
    let events: KernelTable<UInt32, UInt64>
    /// For the interface that peers are reached by.
    let toHost: KernelDescriptor
    /// The tables by their names.
    var descriptors: [String: KernelDescriptor] { loader.tables }
    private let loader: ProgramLoader

    /// The programs at control groups, by their names.
    private static let hooks = [
        "bind4": vk_bpf_bind4, "bind6": vk_bpf_bind6, "connect4": vk_bpf_connect4, "connect6": vk_bpf_connect6,
        "sendmsg4": vk_bpf_sendmsg4, "getpeername4": vk_bpf_getpeername4, "getpeername6": vk_bpf_getpeername6,
        "getsockname4": vk_bpf_getsockname4, "getsockname6": vk_bpf_getsockname6,
    ]
    /// The table that each version has of its own.
    private static let own = "self"

    /// Makes the tables, or goes on with those of the same layout.
    init(sizes: KernelTableSizes, resuming tables: [String: KernelDescriptor]? = nil) throws(KernelPathError) {
        let object = try ProgramLoader.object(HostProgram.object)
        if let tables {
            loader = ProgramLoader(object, tables: tables)
        } else {
            loader = ProgramLoader(object, tables: try ProgramLoader.make(object.tables, sizes))
        }
        registeredPorts = try loader.table("registered_ports", key: vk_host_port(), value: 0)
        directPorts = try loader.table("direct_ports", key: 0, value: vk_host_direct_port())
        routes = try loader.table("routes", key: vk_host_route(), value: 0)
        names = try loader.table("names", key: vk_host_route(), value: 0)
        traffic = try loader.tablePerProcessor("traffic", key: vk_host_route(), value: vk_host_traffic())
        events = try loader.tablePerProcessor("events", key: 0, value: 0)
        toHost = try loader.program("to_host")
    }

    /// Has the sockets of a control group, and of those below it, obey a version's address, from now on.
    func attach(_ version: IPAddress, host: IPAddress, to group: KernelDescriptor) throws(KernelPathError) {
        let table = loader.object.tables.filter { $0.name == Self.own }
        guard let own = try ProgramLoader.make(table, .standard)[Self.own] else { return }
        let loader = loader.replacing(Self.own, with: own)
        try loader.table(Self.own, key: UInt32(0), value: vk_host_self()).set(
            0, vk_host_self(version: version.be32, host: host.be32))
        // First what says where sockets are bound: a version that is bound to its address can do no harm.
        for (name, hook) in Self.hooks.sorted(by: { $0.value.rawValue < $1.value.rawValue }) {
            let program = try loader.program(name, for: hook)
            guard vk_bpf_attach_to_group(program.number, hook, group.number) == 0 else {
                throw KernelPathError("\(SystemError("attach \(name) to a control group"))", isUnsupported: true)
            }
        }
    }
}

extension IPAddress {
    /// An address of IPv4 in network byte order.
    var be32: UInt32 { (v4 ?? 0).bigEndian }
}

extension vk_host_port {
    init(_ port: TransportPort) {
        self.init(number: port.number.bigEndian, protocol: port.transport.rawValue, zero: 0)
    }

    static func == (left: Self, right: Self) -> Bool {
        left.number == right.number && left.protocol == right.protocol
    }
}

extension vk_host_route {
    /// The key of a route, or with the peer's direct port that of the way back.
    init(_ route: DirectRoute, port: UInt16? = nil) {
        self.init(
            version: route.version.be32, peer: route.peer.be32, port: (port ?? route.port.number).bigEndian, zero: 0)
    }

    /// The route of a key.
    var route: DirectRoute {
        DirectRoute(
            from: IPAddress(v4: UInt32(bigEndian: version)), to: IPAddress(v4: UInt32(bigEndian: peer)),
            port: .tcp(UInt16(bigEndian: port)))
    }
}
