import CFSModel
import NIOCore
import Testing

/// Bytes as people write them: hexadecimal, spaces and line breaks as they like.
func hex(_ text: String) -> ByteBuffer {
    var bytes = ByteBuffer()
    var rest = text.filter { !$0.isWhitespace }[...]
    while !rest.isEmpty {
        guard let byte = UInt8(rest.prefix(2), radix: 16), rest.count >= 2 else {
            Issue.record("not hexadecimal: \(rest)")
            break
        }
        bytes.writeInteger(byte)
        rest = rest.dropFirst(2)
    }
    return bytes
}

func id(_ text: String) throws -> ChordID { try #require(ChordID(text)) }

/// The id of the first virtual node at 127.0.0.1:10000: SHA-1 of `127.0.0.1.10000.0`. Its highest bit is set.
let nodeID = "9173f7cbbc4f426392eca75f3a45781d292f69c2"
/// The same on the wire.
let nodeIDBytes = "00000018 00000000 9173f7cb bc4f4263 92eca75f 3a45781d 292f69c2"
