public import NIOCore
public import VersionKitProxy
public import VersionKitWire

/// Messages that are lines, as in the protocols of memcached, SMTP or IrisLog 1.
extension PeekBuffer {
    /// The next line without its end, which is `\n` or `\r\n`; `nil`: not there yet, and the mark stays where it is.
    ///
    /// - Parameters:
    ///   - lengthMax: bytes of a line at most, a `\r` at its end included.
    ///   - error: what a longer line is; thrown as soon as more than `lengthMax` bytes have no end.
    public mutating func peekLine(
        lengthMax: Int, orThrow error: @autoclosure () -> ProxyError
    ) throws(ProxyError) -> ByteBuffer? {
        guard let line = peek(upTo: UInt8(ascii: "\n"), lengthMax: lengthMax) else {
            guard availableBytes <= lengthMax else { throw error() }
            return nil
        }
        let length = line.readableBytes
        guard length > 0, line.getInteger(at: line.writerIndex - 1) == UInt8(ascii: "\r") else { return line }
        return line.getSlice(at: line.readerIndex, length: length - 1)
    }
}

extension ByteBuffer {
    /// What spaces separate, sharing storage: the words of a line.
    public var words: [ByteBuffer] { readableBytesView.split(separator: UInt8(ascii: " ")).map { ByteBuffer($0) } }

    /// A word that is a decimal number.
    public var number: Int64? { Int64(String(buffer: self)) }
}
