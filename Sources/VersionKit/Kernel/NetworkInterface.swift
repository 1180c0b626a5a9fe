import Glibc
package import VersionKitModel

/// The interfaces of this host.
package enum NetworkInterface {
    /// The name of the interface that has this address, `eth0`.
    ///
    /// - Throws: ``KernelPathError`` if none has it.
    package static func holding(_ address: IPAddress) throws(KernelPathError) -> String {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else {
            throw KernelPathError("the interfaces of this host cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { freeifaddrs(first) }
        var next = first
        while let entry = next?.pointee {
            next = entry.ifa_next
            if let socket = entry.ifa_addr, self.address(socket) == address { return String(cString: entry.ifa_name) }
        }
        throw KernelPathError("no interface has the address \(address)", isUnsupported: true)
    }

    private static func address(_ socket: UnsafePointer<sockaddr>) -> IPAddress? {
        switch Int32(socket.pointee.sa_family) {
        case AF_INET:
            socket.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                IPAddress(v4: UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
            }
        case AF_INET6:
            socket.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin6_addr) { bytes in
                    IPAddress(
                        high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                        low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
                }
            }
        default: nil
        }
    }
}
