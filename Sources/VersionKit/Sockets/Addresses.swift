package import CLinux
import Glibc
package import VersionKitModel

// Between the model's addresses and the system's.

extension vk_address {
    package init(_ address: IPAddress) { self.init(high: address.high, low: address.low) }
}

extension IPAddress {
    package init(_ address: vk_address) { self.init(high: address.high, low: address.low) }
}

extension vk_endpoint {
    package init(_ endpoint: Endpoint) { self.init(address: vk_address(endpoint.address), port: endpoint.port) }

    package init(_ address: IPAddress, _ port: UInt16) { self.init(address: vk_address(address), port: port) }
}

extension Endpoint {
    package init(_ endpoint: vk_endpoint) { self.init(address: IPAddress(endpoint.address), port: endpoint.port) }
}

extension IPAddress.Family {
    /// AF_INET or AF_INET6.
    package var system: Int32 { self == .v4 ? AF_INET : AF_INET6 }
}
