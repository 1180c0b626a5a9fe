public import IrisLogCore
public import NIOCore

/// Reads the replies of one protocol from a stream of bytes, however it was cut.
public protocol ReplyDecoder {
    /// What it reads.
    associatedtype Reply: Sendable
    /// Creates a decoder at the start of a stream.
    init()
    /// The next reply; nil if it is not complete yet. What it read is removed from the buffer.
    mutating func next(_ bytes: inout ByteBuffer) throws(IrisLogError) -> Reply?
}
