import VersionKitModel

/// ICMP messages as routers on the way make them.
enum ICMPMessage {
    /// That a UDP datagram with so many bytes does not fit a link. With IPv6 the kernel puts in the checksum.
    static func tooBig(from: Endpoint, to: Endpoint, bytes count: UInt16, mtu: UInt16) -> [UInt8] {
        let udp = bytes(from.port) + bytes(to.port) + bytes(count + 8) + [0, 0]
        guard let source = from.address.v4, let destination = to.address.v4 else {
            let addresses = [from.address.high, from.address.low, to.address.high, to.address.low].flatMap { bytes($0) }
            let header: [UInt8] = [0x60, 0, 0, 0] + bytes(count + 8) + [17, 63] + addresses
            return [2, 0, 0, 0, 0, 0] + bytes(mtu) + header + udp
        }
        let header: [UInt8] =
            [0x45, 0] + bytes(count + 28) + [0, 1, 0x40, 0, 63, 17, 0, 0] + bytes(source) + bytes(destination)
        return summed([3, 4, 0, 0, 0, 0] + bytes(mtu) + summed(header, at: 10) + udp, at: 2)
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func summed(_ message: [UInt8], at offset: Int) -> [UInt8] {
        var sum = stride(from: 0, to: message.count, by: 2).reduce(UInt32(0)) {
            $0 + (UInt32(message[$1]) << 8 | UInt32(message[$1 + 1]))
        }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        var message = message
        message.replaceSubrange(offset..<offset + 2, with: bytes(~UInt16(sum)))
        return message
    }
}
