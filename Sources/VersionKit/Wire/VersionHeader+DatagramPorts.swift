extension VersionHeader {
    /// The type of the extension that names the ports of a datagram: a critical one, as a router that does not know it
    /// would deliver to the wrong port.
    static let datagramPortsType: UInt8 = 0x81

    /// The two ports of a datagram, as the versions at both ends see them.
    public struct DatagramPorts: Sendable, Hashable {
        /// The port that the sending version sent it from, host byte order.
        public var source: UInt16
        /// The port that it is for, host byte order.
        public var destination: UInt16

        /// The ports of a datagram.
        public init(source: UInt16, destination: UInt16) {
            self.source = source
            self.destination = destination
        }
    }

    /// The ports of the datagram that follows; `nil`: both are the registered port that it travels by, as with peers that
    /// have one port for everything.
    public var datagramPorts: DatagramPorts? {
        get {
            guard let value = extensions.first(where: { $0.type == Self.datagramPortsType })?.value, value.count == 4
            else { return nil }
            return DatagramPorts(
                source: UInt16(value[0]) << 8 | UInt16(value[1]), destination: UInt16(value[2]) << 8 | UInt16(value[3]))
        }
        set {
            extensions.removeAll { $0.type == Self.datagramPortsType }
            guard let ports = newValue else { return }
            let value = [ports.source, ports.destination].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            extensions.append(Extension(type: Self.datagramPortsType, value: value))
        }
    }
}
