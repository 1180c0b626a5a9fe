import CLinux
import VersionKitProcesses

/// The tables and programs of the fast path, loaded into the kernel and not attached to anything yet.
struct RouterTables: Sendable {
    let settings: KernelTable<UInt32, vk_router_settings>
    let environments: KernelTable<vk_be_address, UInt32>
    let directPorts: KernelTable<vk_port_key, vk_direct_port>
    let registeredPorts: KernelTable<vk_port_key, UInt16>
    let routes: KernelTable<vk_route_key, UInt16>
    let peerPorts: KernelTable<vk_route_key, UInt16>
    let versionFlows: KernelTable<vk_version_key, vk_version_flow>
    let wireFlows: KernelTable<vk_wire_key, vk_wire_flow>
    let traffic: KernelTable<vk_route_key, vk_kernel_traffic>
    let events: KernelTable<UInt32, UInt64>
    /// For the host's ends of the links to environments.
    let fromVersion: KernelDescriptor
    /// For the interface that peers are reached by.
    let fromWire: KernelDescriptor
    /// The tables by their names.
    let descriptors: [String: KernelDescriptor]

    /// Makes the tables and loads the programs.
    init(sizes: KernelTableSizes) throws(KernelPathError) {
        let object = try ProgramLoader.object(RouterProgram.object)
        try self.init(ProgramLoader(object, tables: ProgramLoader.make(object.tables, sizes)))
    }

    /// Goes on with tables of the same layouts.
    ///
    /// - Parameter programs: `from_version` and `from_wire`, if they are those of this library as well.
    init(
        resuming tables: [String: KernelDescriptor], programs: (KernelDescriptor, KernelDescriptor)?
    ) throws(KernelPathError) {
        try self.init(ProgramLoader(ProgramLoader.object(RouterProgram.object), tables: tables), programs)
    }

    private init(
        _ loader: ProgramLoader, _ programs: (KernelDescriptor, KernelDescriptor)? = nil
    ) throws(KernelPathError) {
        descriptors = loader.tables
        settings = try loader.table("settings", key: 0, value: vk_router_settings())
        environments = try loader.table("environments", key: vk_be_address(), value: 0)
        directPorts = try loader.table("direct_ports", key: vk_port_key(), value: vk_direct_port())
        registeredPorts = try loader.table("registered_ports", key: vk_port_key(), value: 0)
        routes = try loader.table("routes", key: vk_route_key(), value: 0)
        peerPorts = try loader.table("peer_ports", key: vk_route_key(), value: 0)
        versionFlows = try loader.table("version_flows", key: vk_version_key(), value: vk_version_flow())
        wireFlows = try loader.table("wire_flows", key: vk_wire_key(), value: vk_wire_flow())
        traffic = try loader.tablePerProcessor("traffic", key: vk_route_key(), value: vk_kernel_traffic())
        events = try loader.tablePerProcessor("events", key: 0, value: 0)
        if let programs {
            (fromVersion, fromWire) = programs
        } else {
            fromVersion = try loader.program("from_version")
            fromWire = try loader.program("from_wire")
        }
    }
}
