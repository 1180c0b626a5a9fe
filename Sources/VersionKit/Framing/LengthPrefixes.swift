public import NIOCore
public import VersionKitProxy
public import VersionKitWire

/// Messages that say how long they are.
extension PeekBuffer {
    /// The bytes behind an integer in network byte order that says how many they are; `nil`: not all there yet, and the
    /// mark stays where it is.
    ///
    /// - Parameters:
    ///   - type: the integer's.
    ///   - lengths: what it may be, itself not counted.
    ///   - error: what another length is; thrown as soon as the integer is there.
    public mutating func peekPrefixed<Length: FixedWidthInteger>(
        by type: Length.Type, lengths: ClosedRange<Int>, orThrow error: @autoclosure () -> ProxyError
    ) throws(ProxyError) -> ByteBuffer? {
        var rest = self
        guard let prefix = rest.peekInteger(as: type) else { return nil }
        guard let length = Int(exactly: prefix), lengths.contains(length) else { throw error() }
        guard let content = rest.peek(length) else { return nil }
        self = rest
        return content
    }

    /// The next `length` bytes as text, which is mended where it is not UTF-8; `nil`: not all there yet.
    public mutating func peekText(_ length: Int) -> String? { peek(length).map { String(buffer: $0) } }
}
