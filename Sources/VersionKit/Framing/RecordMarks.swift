public import NIOCore
public import VersionKitProxy
public import VersionKitWire

/// Records of fragments, each with its length in front, the last one with the highest bit set: ONC RPC over a stream
/// (RFC 5531, section 11).
extension PeekBuffer {
    /// The next record, its fragments joined; `nil`: not all there yet, and the mark stays where it is.
    ///
    /// - Parameters:
    ///   - lengthMax: bytes of a record. One that is longer is an error as soon as a fragment says so.
    ///   - fragmentsMax: fragments of a record, which may be empty.
    ///   - error: what becomes of the reason why the bytes are no record.
    public mutating func peekRecord(
        lengthMax: Int, fragmentsMax: Int = 4096, orThrow error: (String) -> ProxyError
    ) throws(ProxyError) -> ByteBuffer? {
        var rest = self
        var record = ByteBuffer()
        for _ in 0..<fragmentsMax {
            guard let header = rest.peekInteger(as: UInt32.self) else { return nil }
            let length = Int(header & ~(1 << 31))
            guard record.readableBytes + length <= lengthMax else {
                throw error("a record of more than \(lengthMax) bytes")
            }
            guard let fragment = rest.peek(length) else { return nil }
            if record.readableBytes == 0 { record = fragment } else { record.writeImmutableBuffer(fragment) }
            guard header >> 31 == 0 else {
                self = rest
                return record
            }
        }
        throw error("a record of more than \(fragmentsMax) fragments")
    }
}
