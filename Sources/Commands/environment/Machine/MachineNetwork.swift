import CLinux
import Glibc
import VersionKitModel
import VersionKitSockets

/// The network of a machine: the private link to its node, and itself.
struct MachineNetwork {
    /// Modules that IPv6 needs where it is not in the kernel, in their order; on the disk that was booted from.
    private static let modules = ["/modules/crc-ccitt.ko", "/modules/ipv6.ko"]

    private let layout: MachineLayout

    init(_ layout: MachineLayout) { self.layout = layout }

    /// Sets everything up, before the root is changed.
    func configure() throws(Failure) {
        let interface = layout.interface
        if layout.addresses.contains(where: { $0.address.family == .v6 }) { try prepareIPv6() }
        if !layout.ports.isEmpty { try Machine.write(layout.ports, to: "/proc/sys/net/ipv4/ip_local_port_range") }
        for name in ["lo", interface] where vk_set_interface_up(name) != 0 { throw Failure(call: "set \(name) up") }
        for address in layout.addresses {
            guard vk_add_address(interface, vk_address(address.address), address.prefixLength) == 0 else {
                throw Failure(call: "take the address \(address.address)")
            }
        }
        for gateway in layout.gateways {
            guard vk_add_default_route(interface, vk_address(gateway), layout.packetBytesMax) == 0 else {
                throw Failure(call: "go by \(gateway)")
            }
        }
    }

    private func prepareIPv6() throws(Failure) {
        let settings = "/proc/sys/net/ipv6/conf/\(layout.interface)"
        if access(settings, F_OK) != 0 { for module in Self.modules { try load(module) } }
        // Nobody there tells of others.
        try Machine.write("0", to: settings + "/accept_ra")
    }

    private func load(_ path: String) throws(Failure) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(call: "open the module \(path), without which this kernel has no IPv6") }
        defer { close(file) }
        guard vk_load_module(file) == 0 || errno == EEXIST else { throw Failure(call: "load \(path)") }
    }
}
