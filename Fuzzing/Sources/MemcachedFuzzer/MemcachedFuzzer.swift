import FuzzSupport
import MemcachedAdapter
import NIOCore
import VersionKit

/// Feeds the memcached adapter's parsers whatever libFuzzer thinks of; the first byte says which of them.
///
/// What must hold, beyond not crashing:
/// 1. what was parsed lies within the input;
/// 2. fed byte by byte, a parser answers as with all of the input at once;
/// 3. what a request is sent as is parsed to a request that is sent as the same bytes, and is answered;
/// 4. what a quick look (`LineGlance`) takes for an ordinary request or a plain reply is one, and ends where parsing says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count))
    guard let kind: UInt8 = input.getInteger(at: 0) else { return 0 }
    let bytes = input.getSlice(at: 1, length: count - 1) ?? ByteBuffer()
    if kind & 1 == 0 {
        checkRequest(bytes)
        checkGlance(bytes, adapter)
    } else {
        checkReplyGlance(withoutRest(bytes), to: question, adapter)
        checkDripFeed(withoutRest(bytes)) { bytes throws(ProxyError) in
            try adapter.parseReply(&bytes, to: question, from: 1)
        }
    }
    return 0
}

private let adapter = MemcachedAdapter(valueMax: 512)

private let question: MemcachedRequest = {
    var bytes = PeekBuffer(ByteBuffer(string: "get a\r\n"))
    guard let request = try? adapter.parseRequest(&bytes, from: 1) else { fatalError("no request") }
    return request
}()

private func checkRequest(_ bytes: ByteBuffer) {
    let answer = checkDripFeed(bytes) { bytes throws(ProxyError) in
        try adapter.parseRequest(&bytes, from: 1).map { adapter.encode($0, for: 1) }
    }
    // No command begins like the binary protocol: behind a space that is an unknown one, which is answered and not sent.
    guard case .parsed(let sent, _) = answer, sent.getInteger(at: 0) != UInt8(0x80) else { return }
    let again = outcome(of: sent) { bytes throws(ProxyError) in
        guard let request = try adapter.parseRequest(&bytes, from: 1) else { return nil }
        let reply = ByteBuffer(string: "OK\r\n")
        check(adapter.encode(reply, to: request, for: 1) == reply, "what is sent to a version wants no reply")
        return adapter.encode(request, for: 1)
    }
    check(again == .parsed(sent, length: sent.readableBytes), "\(sent) came back as \(again)")
}

/// A list of keys is asked for when nothing else is, so nothing follows its end.
private func withoutRest(_ bytes: ByteBuffer) -> ByteBuffer {
    let text = Array(bytes.readableBytesView)
    guard text.starts(with: "key=".utf8), text.count >= 5 else { return bytes }
    let end = (5...text.count).first { text[..<$0].suffix(5).elementsEqual("END\r\n".utf8) }
    return end.flatMap { bytes.getSlice(at: bytes.readerIndex, length: $0) } ?? bytes
}
