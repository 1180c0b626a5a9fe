/// An address and a port.
public struct Endpoint: Sendable, Hashable {
    /// The address.
    public var address: IPAddress
    /// The port, host byte order.
    public var port: UInt16

    /// An endpoint.
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension Endpoint: LosslessStringConvertible, Codable {
    /// The endpoint of a text such as `10.0.0.1:7000` or `[2001:db8::1]:7000` (RFC 3986, 3.2.2), or `nil`.
    public init?(_ description: String) {
        guard let colon = description.lastIndex(of: ":"),
            let port = UInt16(description[description.index(after: colon)...])
        else { return nil }
        var host = description[..<colon]
        let isBracketed = host.first == "[" && host.last == "]"
        if isBracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(String(host)), isBracketed == host.contains(":") else { return nil }
        self.init(address: address, port: port)
    }

    public var description: String {
        address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
