public import NIOCore
public import VersionKit

/// What a parser made of some bytes.
public enum Outcome: Equatable {
    /// A message that is sent as these bytes, out of so many of the input.
    case parsed(ByteBuffer, length: Int)
    /// An error with this message.
    case failed(String)
    /// More bytes are needed.
    case incomplete
}

/// Parses bytes from their beginning; `parse` says as what bytes its message is sent.
public func outcome(
    of bytes: ByteBuffer, _ parse: (inout PeekBuffer) throws(ProxyError) -> ByteBuffer?
) -> Outcome {
    var peeked = PeekBuffer(bytes)
    do throws(ProxyError) {
        guard let sent = try parse(&peeked) else { return .incomplete }
        check(peeked.peekedBytes > 0 && peeked.peekedBytes <= bytes.readableBytes, "\(peeked.peekedBytes) bytes")
        return .parsed(sent, length: peeked.peekedBytes)
    } catch {
        return .failed(error.message)
    }
}

/// Fed byte by byte, a parser must answer as with all bytes at once: not earlier, not later, not otherwise; and it must
/// not care what lies before its bytes.
///
/// - Returns: the answer.
@discardableResult
public func checkDripFeed(
    _ bytes: ByteBuffer, _ parse: (inout PeekBuffer) throws(ProxyError) -> ByteBuffer?
) -> Outcome {
    let whole = outcome(of: bytes, parse)
    var shifted = ByteBuffer(repeating: 0x0A, count: 3)
    shifted.writeImmutableBuffer(bytes)
    shifted.moveReaderIndex(forwardBy: 3)
    check(outcome(of: shifted, parse) == whole, "another answer behind bytes that were read before")
    for length in 0..<bytes.readableBytes {
        let part = outcome(of: bytes.getSlice(at: bytes.readerIndex, length: length) ?? ByteBuffer(), parse)
        guard part != .incomplete else { continue }
        check(part == whole, "after \(length) bytes \(part), at once \(whole)")
        break
    }
    return whole
}

/// Ends the program, which libFuzzer notices, if something does not hold.
public func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { fatalError(message()) }
}
