import VersionKitModel

/// The ICMP or ICMPv6 message that says why a datagram did not arrive, whole with its IP header: what a host with a closed
/// port or a router on the way would have sent. A pure value (RFC 792, 1191, 4443).
struct UnreachableMessage: Equatable {
    /// The most of the datagram that is quoted: a header, so that the other router finds out whose it was.
    static let quoteBytesMax = 512

    var reason: Undelivered
    /// The longest packet that the way takes, for ``Undelivered/tooLong``.
    var pathBytesMax: UInt16 = 0
    /// Who says so.
    var reporter: IPAddress
    /// Whom the datagram came from, to whom this is said.
    var source: Endpoint
    /// Whom it was for.
    var destination: Endpoint

    /// The packet. All addresses are of one family.
    ///
    /// - Parameters:
    ///   - payload: the datagram's first bytes.
    ///   - length: how long it was.
    func packet(quoting payload: UnsafeRawBufferPointer, length: Int) -> [UInt8] {
        let family = source.address.family
        let kind = reason.icmp(family)
        var message: [UInt8] = [kind.type, kind.code, 0, 0, 0, 0]
        message.append(pathBytesMax)
        message += Self.internetHeader(17, length: 8 + length, from: source.address, to: destination.address)
        for number in [source.port, destination.port, UInt16(truncatingIfNeeded: 8 + length), 0] {
            message.append(number)
        }
        message += payload.prefix(Self.quoteBytesMax)
        let number: UInt8 = family == .v4 ? 1 : 58
        // ICMPv6 counts what is around it too.
        var counted = family == .v4 ? [] : [0, 0, 0, number]
        if family == .v6 {
            counted.append(UInt16(message.count))
            counted.append(reporter)
            counted.append(source.address)
        }
        message.set(Self.checksum((counted + message)[...]), at: 2)
        return Self.internetHeader(number, length: message.count, from: reporter, to: source.address) + message
    }

    /// - Parameter length: of what follows.
    private static func internetHeader(
        _ protocolNumber: UInt8, length: Int, from source: IPAddress, to destination: IPAddress
    ) -> [UInt8] {
        var header: [UInt8] = []
        switch source.family {
        case .v4:
            header = [0x45, 0]
            header.append(UInt16(truncatingIfNeeded: 20 + length))
            header += [0, 0, 0x40, 0, 64, protocolNumber, 0, 0]
        case .v6:
            header = [0x60, 0, 0, 0]
            header.append(UInt16(truncatingIfNeeded: length))
            header += [protocolNumber, 64]
        }
        header.append(source)
        header.append(destination)
        if source.family == .v4 { header.set(checksum(header[...]), at: 10) }
        return header
    }

    /// The Internet checksum (RFC 1071).
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var sum: UInt32 = 0
        var isHigh = true
        for byte in bytes {
            sum += isHigh ? UInt32(byte) << 8 : UInt32(byte)
            isHigh.toggle()
        }
        while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(sum)
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ address: IPAddress) {
        if let number = address.v4 { return append(number) }
        append(address.high)
        append(address.low)
    }

    fileprivate mutating func set(_ number: UInt16, at index: Int) {
        self[index] = UInt8(number >> 8)
        self[index + 1] = UInt8(number & 0xFF)
    }
}
