import NIOCore
import VersionKit

/// Feeds the header's decoder whatever libFuzzer thinks of.
///
/// What must hold, beyond not crashing:
/// 1. the header that was decoded lies within the input and within the limits, and is encoded to bytes that decode to
///    the same header;
/// 2. an answer is final: once a beginning of the input gives anything but `needMore`, every longer one gives the same;
/// 3. at the end of the stream there is always an answer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    let answer = VersionHeader.decode(input)
    checkRoundTrip(answer, of: input)
    checkDripFeed(answer, of: input)
    checkOtherReaderIndex(answer, of: input)
    check(VersionHeader.decodeAtEnd(input) != .needMore, "an ended stream has no more to come")
    return 0
}

private func checkRoundTrip(_ answer: VersionHeader.Decoded, of input: ByteBuffer) {
    guard case .header(let header, let length) = answer else { return }
    check(length <= input.readableBytes, "a header of \(length) bytes out of \(input.readableBytes)")
    check(length <= Limits.standard.headerBytesMax, "a header of \(length) bytes is over the limit")

    var encoded = ByteBuffer()
    header.encode(into: &encoded)
    let again = VersionHeader.decode(encoded)
    check(again == .header(header, length: encoded.readableBytes), "\(header) came back as \(again)")
    check(encoded.readableBytes == length, "\(length) bytes became \(encoded.readableBytes)")
}

/// Asks after every byte, as if the network delivered them one by one.
private func checkDripFeed(_ answer: VersionHeader.Decoded, of input: ByteBuffer) {
    // Nothing after the longest header can matter, so long inputs stay fast.
    let prefixes = 0...min(input.readableBytes, Limits.standard.headerBytesMax + 1)
    var final: VersionHeader.Decoded?
    for length in prefixes {
        guard let prefix = input.getSlice(at: input.readerIndex, length: length) else { return }
        let given = VersionHeader.decode(prefix)
        if let final {
            check(given == final, "\(final) became \(given) after \(length) bytes")
        } else if given != .needMore {
            final = given
        }
    }
    check((final ?? .needMore) == answer, "bit by bit: \(final ?? .needMore), at once: \(answer)")
}

/// The same bytes behind others that were read before: the decoder must not count from the buffer's beginning.
private func checkOtherReaderIndex(_ answer: VersionHeader.Decoded, of input: ByteBuffer) {
    var shifted = ByteBuffer(repeating: 0xF6, count: 3)
    shifted.writeImmutableBuffer(input)
    shifted.moveReaderIndex(forwardBy: 3)
    let given = VersionHeader.decode(shifted)
    check(given == answer, "\(answer) became \(given) behind bytes that were read before")
}

private func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { fatalError(message()) }
}
