import VersionKitModel

/// A message of netlink, and the attributes in it. Pure; what is cut short or makes no sense is left out.
struct NetlinkMessage: Sendable, Hashable {
    /// `NLMSG_ERROR`, also the acknowledgement.
    static let error: UInt16 = 2
    /// `NLMSG_DONE`.
    static let done: UInt16 = 3
    private static let headerBytes = 16
    /// `nfgenmsg`, which precedes the attributes of netfilter's messages.
    private static let prefaceBytes = 4

    var type: UInt16
    var body: [UInt8]

    /// The `errno` of an error, 0 of an acknowledgement.
    var errorCode: Int32 {
        body.count >= 4 ? -Int32(bitPattern: Self.native(body[...])) : 0
    }

    /// The attributes of one of netfilter's messages.
    var attributes: [UInt16: ArraySlice<UInt8>] { Self.attributes(body.dropFirst(Self.prefaceBytes)) }

    /// The bytes of a message.
    static func encode(type: UInt16, flags: UInt16, body: [UInt8]) -> [UInt8] {
        bytes(UInt32(headerBytes + body.count)) + bytes(type) + bytes(flags) + bytes(UInt32(1)) + bytes(UInt32(0))
            + body
    }

    /// All whole messages.
    static func decode(_ bytes: ArraySlice<UInt8>) -> [NetlinkMessage] {
        var rest = bytes
        var messages: [NetlinkMessage] = []
        while rest.count >= headerBytes {
            let length = Int(native(rest))
            guard length >= headerBytes, length <= rest.count else { break }
            let type = UInt16(truncatingIfNeeded: native(rest.dropFirst(4)))
            messages.append(NetlinkMessage(type: type, body: Array(rest.prefix(length).dropFirst(headerBytes))))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return messages
    }

    /// Attributes by their types.
    static func attributes(_ bytes: ArraySlice<UInt8>) -> [UInt16: ArraySlice<UInt8>] {
        var rest = bytes
        var attributes: [UInt16: ArraySlice<UInt8>] = [:]
        while rest.count >= 4 {
            let word = native(rest)
            let length = Int(word & 0xFFFF)
            guard length >= 4, length <= rest.count else { break }
            // The two highest bits say that it is nested, or in network byte order.
            attributes[UInt16(word >> 16) & 0x3FFF] = rest.prefix(length).dropFirst(4)
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return attributes
    }

    /// One attribute, padded.
    static func attribute(_ type: UInt16, _ value: [UInt8], nested: Bool = false) -> [UInt8] {
        let head = bytes(UInt16(4 + value.count)) + bytes(nested ? type | 0x8000 : type)
        return head + value + [UInt8](repeating: 0, count: -value.count & 3)
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }

    private static func native(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        guard bytes.count >= 4 else { return 0 }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    }
}

/// The attributes of the connection tracking (`CTA_...`).
extension TrackedFlow {
    /// The flow of a message, or `nil` if it is neither TCP nor UDP.
    init?(_ message: NetlinkMessage) {
        let attributes = message.attributes
        guard let original = attributes[1].flatMap(Self.ends), let reply = attributes[2].flatMap(Self.ends) else {
            return nil
        }
        self.init(
            transport: original.transport, source: original.source, destination: original.destination,
            answerer: reply.source, answered: reply.destination)
    }

    /// The attribute that names a flow by its original tuple.
    static func tuple(_ transport: TransportProtocol, _ source: Endpoint, _ destination: Endpoint) -> [UInt8] {
        let (from, to) = addressTypes(source.address.family)
        let addresses =
            NetlinkMessage.attribute(from, bytes(source.address))
            + NetlinkMessage.attribute(to, bytes(destination.address))
        let ports =
            NetlinkMessage.attribute(1, [transport.rawValue]) + NetlinkMessage.attribute(2, network(source.port))
            + NetlinkMessage.attribute(3, network(destination.port))
        let tuple =
            NetlinkMessage.attribute(1, addresses, nested: true) + NetlinkMessage.attribute(2, ports, nested: true)
        return NetlinkMessage.attribute(1, tuple, nested: true)
    }

    private static func ends(
        _ tuple: ArraySlice<UInt8>
    ) -> (transport: TransportProtocol, source: Endpoint, destination: Endpoint)? {
        let parts = NetlinkMessage.attributes(tuple)
        let addresses = parts[1].map(NetlinkMessage.attributes) ?? [:]
        let ports = parts[2].map(NetlinkMessage.attributes) ?? [:]
        guard let code = ports[1]?.first, let transport = TransportProtocol(rawValue: code),
            let source = address(addresses[1] ?? addresses[3]),
            let destination = address(addresses[2] ?? addresses[4]),
            let from = ports[2], let to = ports[3], from.count == 2, to.count == 2
        else { return nil }
        return (
            transport,
            Endpoint(address: source, port: UInt16(number(from))),
            Endpoint(address: destination, port: UInt16(number(to)))
        )
    }

    /// The attributes of a source and of a destination.
    private static func addressTypes(_ family: IPAddress.Family) -> (UInt16, UInt16) { family == .v4 ? (1, 2) : (3, 4) }

    private static func bytes(_ address: IPAddress) -> [UInt8] {
        address.v4.map(network) ?? network(address.high) + network(address.low)
    }

    private static func address(_ bytes: ArraySlice<UInt8>?) -> IPAddress? {
        switch bytes?.count {
        case 4: bytes.map { IPAddress(v4: UInt32(number($0))) }
        case 16: bytes.map { IPAddress(high: number($0.prefix(8)), low: number($0.suffix(8))) }
        default: nil
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func network(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
