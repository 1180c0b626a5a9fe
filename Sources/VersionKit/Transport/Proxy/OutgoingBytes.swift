import NIOCore

/// Bytes that leave together at the end of a turn of the loop: many small messages become one system call, and a large
/// one is not copied.
struct OutgoingBytes {
    /// From here on copying costs more than one more element in a list of buffers.
    private static let copiedBytesMax = 2048

    private var pending: ByteBuffer?
    private var isOwned = false

    /// Whether there is nothing to send.
    var isEmpty: Bool { pending == nil }

    /// Adds bytes; what has to leave before them is given to `write`.
    mutating func append(_ bytes: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        guard let first = pending else {
            pending = bytes
            isOwned = false
            return
        }
        guard bytes.readableBytes <= Self.copiedBytesMax, isOwned || first.readableBytes <= Self.copiedBytesMax else {
            write(first)
            pending = bytes
            isOwned = false
            return
        }
        if isOwned {
            pending?.writeImmutableBuffer(bytes)
        } else {
            // The first one's storage belongs to whoever read it.
            var own = ByteBufferAllocator().buffer(capacity: max(1024, 8 * (first.readableBytes + bytes.readableBytes)))
            own.writeImmutableBuffer(first)
            own.writeImmutableBuffer(bytes)
            pending = own
            isOwned = true
        }
    }

    /// All that is left.
    mutating func take() -> ByteBuffer? {
        defer { pending = nil }
        return pending
    }
}
