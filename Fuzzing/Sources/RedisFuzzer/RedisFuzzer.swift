import FuzzSupport
import NIOCore
import RedisAdapter
import VersionKit

/// Feeds the Redis adapter's parsers whatever libFuzzer thinks of; the first byte says which of them.
///
/// What must hold, beyond not crashing:
/// 1. what was parsed lies within the input;
/// 2. fed byte by byte, a parser answers as with all of the input at once: not earlier, not later, not otherwise;
/// 3. what a request is sent as is parsed to a request that is sent as the same bytes;
/// 4. what a quick look takes for an ordinary request or a plain reply ends where parsing says, and the proxy has not to
///    answer it by itself: the framework traps where the two differ.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    guard let kind: UInt8 = input.getInteger(at: 0) else { return 0 }
    let bytes = input.getSlice(at: 1, length: count - 1) ?? ByteBuffer()
    if kind & 1 == 0 {
        checkRequest(bytes)
        checkGlance(bytes, adapter)
    } else {
        checkReplyGlance(bytes, to: request("*1\r\n$4\r\nPING\r\n"), adapter)
        // Of a scan, so that the cursor is rewritten, and of any other request.
        let question = request(kind & 2 == 0 ? "*2\r\n$4\r\nSCAN\r\n$1\r\n0\r\n" : "*1\r\n$4\r\nPING\r\n")
        checkDripFeed(bytes) { bytes throws(ProxyError) in
            guard let reply = try adapter.parseReply(&bytes, to: question, from: 1) else { return nil }
            return try adapter.encode(reply, to: question, for: 1)
        }
    }
    return 0
}

private let adapter = RedisAdapter()

private func checkRequest(_ bytes: ByteBuffer) {
    let parse = { (bytes: inout PeekBuffer) throws(ProxyError) -> ByteBuffer? in
        guard let request = try adapter.parseRequest(&bytes, from: 1) else { return nil }
        return try adapter.encode(request, for: 1)
    }
    guard case .parsed(let sent, _) = checkDripFeed(bytes, parse) else { return }
    let again = outcome(of: sent, parse)
    check(again == .parsed(sent, length: sent.readableBytes), "\(sent) came back as \(again)")
}

private func request(_ text: String) -> RespRequest {
    var bytes = PeekBuffer(ByteBuffer(string: text))
    guard let request = try? adapter.parseRequest(&bytes, from: 1) else { fatalError("no request: \(text)") }
    return request
}
