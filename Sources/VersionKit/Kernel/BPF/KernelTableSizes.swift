/// How much the tables of the kernel's fast path hold. What has no room takes the slow path, and is counted.
package struct KernelTableSizes: Sendable, Hashable {
    /// Environments on this node.
    package var environmentsMax: UInt32 = 256
    /// Registered ports of all of them.
    package var portsMax: UInt32 = 4096
    /// Routes to ports of peers.
    package var routesMax: UInt32 = 65_536
    /// Conversations at one time. A hundred bytes each, as far as there are any.
    package var flowsMax: UInt32 = 262_144
    /// What is counted apart: version, peer and port. Some hundred bytes for each processor.
    package var countsMax: UInt32 = 16_384

    /// The defaults, as above.
    package init() {}

    /// The defaults.
    package static let standard = KernelTableSizes()

    /// The size of the table that the programs call so; `nil`: as the programs have it.
    func entries(of table: String) -> UInt32? {
        switch table {
        case "environments": environmentsMax
        case "direct_ports", "registered_ports": portsMax
        case "routes", "peer_ports", "names": routesMax
        case "version_flows", "wire_flows": flowsMax
        case "traffic": countsMax
        default: nil
        }
    }
}
