import NIOCore

/// CRC-32 with the polynomial of Ethernet, gzip and PNG: finds bytes that a disk or a crash changed. No protection
/// against somebody who means it.
enum Checksum {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? 0xEDB8_8320 ^ (rest >> 1) : rest >> 1 }
    }

    /// The checksum of these bytes.
    static func crc32(_ bytes: ByteBufferView) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            bytes.withUnsafeBytes { bytes in
                ~bytes.reduce(UInt32.max) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8)
                }
            }
        }
    }
}
