public import NIOCore

/// Bytes of a stream that a parser may look at as far as it likes before it says how many of them it used: the papers'
/// `databuf`.
///
/// Peeking moves a mark, not the contents: a parser that finds its message incomplete throws away what it had, returns,
/// and is called again with the same bytes plus more. What the paper calls undefined (mixing `read` and `peek`) cannot
/// be written: there is only peeking, and consuming is the business of whoever owns the buffer.
///
/// A value with one owner; slices share storage with it (no copy). Not bounded itself: the engine stops appending at
/// ``Limits/messageBytesMax``.
///
/// - Note: S 3.4, figure 5; R12.
public struct PeekBuffer: Sendable, Equatable {
    @usableFromInline var bytes: ByteBuffer
    @usableFromInline var mark: Int

    /// A buffer with these bytes; nothing is peeked yet.
    @inlinable
    public init(_ bytes: ByteBuffer = ByteBuffer()) {
        self.bytes = bytes
        mark = 0
    }

    /// How many bytes were peeked since the beginning or the last ``resetPeek()``.
    @inlinable
    public var peekedBytes: Int { mark }

    /// How many bytes are still to be peeked.
    @inlinable
    public var availableBytes: Int { bytes.readableBytes - mark }

    /// All bytes held, peeked or not.
    @inlinable
    public var count: Int { bytes.readableBytes }

    /// The next `length` bytes, or `nil` if so many are not there: then the mark stays where it is.
    @inlinable
    public mutating func peek(_ length: Int) -> ByteBuffer? {
        guard length >= 0, length <= availableBytes,
            let slice = bytes.getSlice(at: bytes.readerIndex + mark, length: length)
        else { return nil }
        mark += length
        return slice
    }

    /// The next integer in network byte order, or `nil` if its bytes are not all there.
    @inlinable
    public mutating func peekInteger<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) -> Integer? {
        guard let integer: Integer = bytes.getInteger(at: bytes.readerIndex + mark) else { return nil }
        mark += MemoryLayout<Integer>.size
        return integer
    }

    /// The bytes before the next `delimiter`, which is skipped, or `nil` if it is not within `lengthMax` bytes.
    ///
    /// - Returns: `nil` also when the line is too long; ask ``availableBytes`` to tell the two apart.
    @inlinable
    public mutating func peek(upTo delimiter: UInt8, lengthMax: Int) -> ByteBuffer? {
        let rest = bytes.readableBytesView.dropFirst(mark).prefix(lengthMax + 1)
        guard let end = rest.firstIndex(of: delimiter) else { return nil }
        let length = end - rest.startIndex
        let slice = peek(length)
        mark += 1
        return slice
    }

    /// Calls `body` with the bytes that are still to be peeked, without a copy: for parsers that look at each byte. The
    /// mark stays; ``peek(_:)`` or ``skip(_:)`` moves it past what was understood.
    ///
    /// The pointer is good only until `body` returns.
    @inlinable
    public func withUnsafeAvailableBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeReadableBytes { all throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(rebasing: all[mark...]))
        }
    }

    /// Moves the mark past the next `length` bytes.
    ///
    /// - Precondition: so many bytes are there. More is a parser's bug, and traps.
    @inlinable
    public mutating func skip(_ length: Int) {
        precondition(length >= 0 && length <= availableBytes, "skipped \(length) of \(availableBytes) bytes")
        mark += length
    }

    /// Goes back to the first byte.
    @inlinable
    public mutating func resetPeek() { mark = 0 }

    /// The first `length` bytes, peeked or not, sharing storage; `nil` if there are fewer.
    @inlinable
    public func prefix(_ length: Int) -> ByteBuffer? {
        guard length >= 0 else { return nil }
        return bytes.getSlice(at: bytes.readerIndex, length: length)
    }

    /// Adds bytes at the end. The mark stays.
    @inlinable
    public mutating func append(_ more: ByteBuffer) {
        if bytes.readableBytes == 0, mark == 0 {
            bytes = more
        } else {
            var more = more
            bytes.writeBuffer(&more)
        }
    }

    /// Takes the first `length` bytes out and resets the mark: what the owner does with a callback's answer.
    ///
    /// - Precondition: so many bytes are there. More is a parser's bug, and traps.
    @inlinable
    @discardableResult
    public mutating func consume(_ length: Int) -> ByteBuffer {
        guard let slice = bytes.readSlice(length: length) else {
            preconditionFailure("consumed \(length) of \(bytes.readableBytes) bytes")
        }
        mark = 0
        if bytes.readableBytes == 0 { bytes = ByteBuffer() }
        return slice
    }
}
