import NIOCore
import VersionKitProxy

extension RespScanner {
    /// The words of an inline request, or `nil` if its line is not complete: `'` and `"` quote, as a Redis reads them.
    mutating func inlineWords() throws(ProxyError) -> [ByteBuffer]? {
        let line = bytes[position...].prefix(RespLimits.lineBytesMax + 1)
        guard let end = line.firstIndex(of: 10) else {
            guard line.count <= RespLimits.lineBytesMax else { throw .malformedRequest("too big inline request") }
            return nil
        }
        var words: [[UInt8]] = []
        var isInWord = false
        var quote: UInt8?
        while position < end {
            let byte = bytes[position]
            position += 1
            if quote == nil, byte.isSpace {
                isInWord = false
                continue
            }
            if !isInWord { words.append([]) }
            isInWord = true
            if let open = quote, byte == open {
                quote = nil
                guard bytes[position].isSpace else { throw .malformedRequest("unbalanced quotes in request") }
            } else if quote == nil, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else {
                words[words.count - 1].append(quote != nil && byte == UInt8(ascii: "\\") ? escaped(in: quote) : byte)
            }
        }
        guard quote == nil else { throw .malformedRequest("unbalanced quotes in request") }
        position = end + 1
        return words.map { ByteBuffer(bytes: $0) }
    }

    /// What a backslash and the bytes after it mean.
    private mutating func escaped(in quote: UInt8?) -> UInt8 {
        let byte = bytes[position]
        // Between single quotes only those can be escaped; a backslash at the end of the line leaves its quote open.
        guard byte != 10, quote == UInt8(ascii: "\"") || byte == quote else { return UInt8(ascii: "\\") }
        position += 1
        if byte == UInt8(ascii: "x"), position + 2 < bytes.count, bytes[position] != UInt8(ascii: "+"),
            let code = UInt8(String(decoding: bytes[position..<position + 2], as: UTF8.self), radix: 16)
        {
            position += 2
            return code
        }
        switch UnicodeScalar(byte) {
        case "n": return 10
        case "r": return 13
        case "t": return 9
        case "b": return 8
        case "a": return 7
        default: return byte
        }
    }
}
