import NIOCore

/// Bytes as they stand in a script: text with `\r`, `\n`, `\t`, `\\`, `\s` (a space at an end) and `\xNN`.
enum EscapedText {
    static func encode(_ bytes: ByteBuffer) -> String {
        bytes.readableBytesView.map { byte in
            switch byte {
            case 13: return "\\r"
            case 10: return "\\n"
            case 9: return "\\t"
            case 92: return "\\\\"
            case 32..<127: return String(UnicodeScalar(byte))
            default: return "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }.joined()
    }

    /// The bytes, or `nil` if an escape is not one of the above.
    static func decode(_ text: Substring) -> ByteBuffer? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "s"): bytes.append(32)
            case UInt8(ascii: "\\"): bytes.append(92)
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2
                else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        return ByteBuffer(bytes: bytes)
    }
}
