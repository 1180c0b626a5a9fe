import NIOCore
import RedisAdapter
import VersionKit

/// Feeds the Redis adapter's parsers whatever libFuzzer thinks of; the first byte says which of them.
///
/// What must hold, beyond not crashing:
/// 1. what was parsed lies within the input;
/// 2. fed byte by byte, a parser answers as with all of the input at once: not earlier, not later, not otherwise;
/// 3. what a request is sent as is parsed to a request that is sent as the same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    guard let kind: UInt8 = input.getInteger(at: 0) else { return 0 }
    let bytes = input.getSlice(at: 1, length: count - 1) ?? ByteBuffer()
    if kind & 1 == 0 {
        compare(bytes, parseRequest)
        checkRoundTrip(bytes)
    } else {
        // Of a scan, so that the cursor is rewritten, and of any other request.
        let question = request(kind & 2 == 0 ? "*2\r\n$4\r\nSCAN\r\n$1\r\n0\r\n" : "*1\r\n$4\r\nPING\r\n")
        compare(bytes) { parseReply($0, to: question) }
    }
    return 0
}

private let adapter = RedisAdapter()

private enum Outcome: Equatable {
    case parsed(ByteBuffer, length: Int)
    case failed(String)
    case incomplete
}

private func parseRequest(_ bytes: ByteBuffer) -> Outcome {
    outcome(of: bytes) { bytes throws(ProxyError) in
        guard let request = try adapter.parseRequest(&bytes, from: 1) else { return nil }
        return try adapter.encode(request, for: 1)
    }
}

private func parseReply(_ bytes: ByteBuffer, to question: RespRequest) -> Outcome {
    outcome(of: bytes) { bytes throws(ProxyError) in
        guard let reply = try adapter.parseReply(&bytes, to: question, from: 1) else { return nil }
        return try adapter.encode(reply, to: question, for: 1)
    }
}

private func outcome(
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

private func compare(_ bytes: ByteBuffer, _ parse: (ByteBuffer) -> Outcome) {
    let whole = parse(bytes)
    for length in 0..<bytes.readableBytes {
        let part = parse(bytes.getSlice(at: bytes.readerIndex, length: length) ?? ByteBuffer())
        guard part != .incomplete else { continue }
        check(part == whole, "after \(length) bytes \(part), at once \(whole)")
        return
    }
}

private func checkRoundTrip(_ bytes: ByteBuffer) {
    guard case .parsed(let sent, _) = parseRequest(bytes) else { return }
    let again = parseRequest(sent)
    check(again == .parsed(sent, length: sent.readableBytes), "\(sent) came back as \(again)")
}

private func request(_ text: String) -> RespRequest {
    var bytes = PeekBuffer(ByteBuffer(string: text))
    guard let request = try? adapter.parseRequest(&bytes, from: 1) else { fatalError("no request: \(text)") }
    return request
}

private func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { fatalError(message()) }
}
