import NIOCore

/// A client's end, whatever it is made of: a stream, or the datagrams of one sender.
///
/// Lives on the session's event loop.
protocol ClientPort: AnyObject {
    /// Whether the client takes more bytes at the moment.
    var isWritable: Bool { get }
    /// Sends bytes, at the latest with the next ``writeAndFlush(_:)``.
    func write(_ bytes: ByteBuffer)
    /// Sends bytes now, after all that was written before.
    func writeAndFlush(_ bytes: ByteBuffer)
    /// Whether to go on reading.
    func setReading(_ isReading: Bool)
    /// Closes once everything written has left.
    func close()
    /// Closes at once; what was written and has not left is lost.
    func abort()
}
