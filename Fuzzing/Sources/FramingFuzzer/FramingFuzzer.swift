import FuzzSupport
import NIOCore
import VersionKit

/// Feeds the library's framing helpers whatever libFuzzer thinks of; the first byte says which of them.
///
/// What must hold, beyond not crashing: what a helper took lies within the input; fed byte by byte it answers as with all
/// of the input at once; a helper that answers `nil` leaves the mark where it was; and what it took is what a plain
/// reading of the bytes says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let kind = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    switch kind % 7 {
    case 0: checkDelimiter(bytes)
    case 1: checkLine(bytes)
    case 2: checkPrefixes(bytes)
    case 3: checkPeeking(bytes)
    case 4: checkWords(bytes)
    case 6: checkRecord(bytes)
    default: checkReply(bytes)
    }
    return 0
}

/// `peek(upTo:lengthMax:)`.
private func checkDelimiter(_ bytes: [UInt8]) {
    let answer = checkDripFeed(ByteBuffer(bytes: bytes)) { bytes throws(ProxyError) in
        try unmoved(&bytes) { $0.peek(upTo: UInt8(ascii: ";"), lengthMax: 16) }
    }
    let end = bytes.prefix(17).firstIndex(of: UInt8(ascii: ";"))
    check(answer == end.map { .parsed(ByteBuffer(bytes: bytes[..<$0]), length: $0 + 1) } ?? .incomplete, "\(answer)")
}

/// `peekLine(lengthMax:orThrow:)`, and the words of the line.
private func checkLine(_ bytes: [UInt8]) {
    let answer = checkDripFeed(ByteBuffer(bytes: bytes)) { bytes throws(ProxyError) in
        try unmoved(&bytes) { bytes throws(ProxyError) in
            try bytes.peekLine(lengthMax: 16, orThrow: .malformedRequest("long"))
        }
    }
    guard let end = bytes.prefix(17).firstIndex(of: UInt8(ascii: "\n")) else {
        return check(answer == (bytes.count > 16 ? .failed("long") : .incomplete), "\(answer)")
    }
    let line = bytes[..<end].last == UInt8(ascii: "\r") ? bytes[..<(end - 1)] : bytes[..<end]
    check(answer == .parsed(ByteBuffer(bytes: line), length: end + 1), "\(answer)")
    let words = ByteBuffer(bytes: line).words.map { Array($0.readableBytesView) }
    check(words == line.split(separator: UInt8(ascii: " ")).map { Array($0) }, "\(words)")
}

/// `peekPrefixed(by:lengths:orThrow:)` with each integer, and `peekText(_:)` of what it took.
private func checkPrefixes(_ bytes: [UInt8]) {
    checkPrefix(bytes, UInt8.self)
    checkPrefix(bytes, UInt16.self)
    checkPrefix(bytes, UInt32.self)
    checkPrefix(bytes, UInt64.self)
    checkPrefix(bytes, Int16.self)
}

private func checkPrefix<Length: FixedWidthInteger>(_ bytes: [UInt8], _ type: Length.Type) {
    let answer = checkDripFeed(ByteBuffer(bytes: bytes)) { bytes throws(ProxyError) in
        try unmoved(&bytes) { bytes throws(ProxyError) in
            try bytes.peekPrefixed(by: type, lengths: 1...40, orThrow: .malformedRequest("bounds"))
        }
    }
    let size = MemoryLayout<Length>.size
    guard bytes.count >= size else { return check(answer == .incomplete, "\(answer)") }
    let length = bytes.prefix(size).reduce(Length.zero) { $0 &<< 8 | Length(truncatingIfNeeded: $1) }
    guard (1...40).contains(length) else { return check(answer == .failed("bounds"), "\(answer)") }
    let end = size + Int(length)
    guard bytes.count >= end else { return check(answer == .incomplete, "\(answer)") }
    check(answer == .parsed(ByteBuffer(bytes: bytes[size..<end]), length: end), "\(answer)")
    var content = PeekBuffer(ByteBuffer(bytes: bytes[size..<end]))
    check(content.peekText(Int(length)) == String(decoding: bytes[size..<end], as: UTF8.self), "text")
    check(content.peekText(1) == nil && content.peekedBytes == Int(length), "text behind the end")
}

/// `peekRecord(lengthMax:fragmentsMax:orThrow:)`.
private func checkRecord(_ bytes: [UInt8]) {
    let answer = checkDripFeed(ByteBuffer(bytes: bytes)) { bytes throws(ProxyError) in
        try unmoved(&bytes) { bytes throws(ProxyError) in
            try bytes.peekRecord(lengthMax: 40, fragmentsMax: 4) { _ in .malformedRequest("record") }
        }
    }
    var record: [UInt8] = []
    var end = 0
    for _ in 0..<4 {
        guard bytes.count >= end + 4 else { return check(answer == .incomplete, "\(answer)") }
        let length = bytes[end..<end + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
        guard record.count + length <= 40 else { return check(answer == .failed("record"), "\(answer)") }
        let isLast = bytes[end] >= 0x80
        end += 4
        guard bytes.count >= end + length else { return check(answer == .incomplete, "\(answer)") }
        record += bytes[end..<end + length]
        end += length
        if isLast { return check(answer == .parsed(ByteBuffer(bytes: record), length: end), "\(answer)") }
    }
    check(answer == .failed("record"), "\(answer)")
}

/// A walk through the rest of PeekBuffer: each byte is a step, and the walk is compared with one on an array.
private func checkPeeking(_ bytes: [UInt8]) {
    var buffer = PeekBuffer(ByteBuffer(bytes: bytes))
    var held = bytes
    var mark = 0
    for step in bytes {
        let length = Int(step >> 3)
        switch step & 7 {
        case 0:
            let taken = buffer.peek(length).map { Array($0.readableBytesView) }
            check(taken == (mark + length <= held.count ? Array(held[mark..<mark + length]) : nil), "peek \(length)")
            if taken != nil { mark += length }
        case 1:
            let taken: UInt16? = buffer.peekInteger()
            let isThere = mark + 2 <= held.count
            check(taken == (isThere ? UInt16(held[mark]) << 8 | UInt16(held[mark + 1]) : nil), "integer")
            if isThere { mark += 2 }
        case 2:
            guard length <= held.count - mark else { continue }
            buffer.skip(length)
            mark += length
        case 3:
            buffer.resetPeek()
            mark = 0
        case 4:
            buffer.append(ByteBuffer(repeating: step, count: length))
            held += [UInt8](repeating: step, count: length)
        case 5:
            guard length <= held.count else { continue }
            let taken = buffer.consume(length)
            check(Array(taken.readableBytesView) == Array(held.prefix(length)), "consume \(length)")
            held.removeFirst(length)
            mark = 0
        case 6:
            let taken = buffer.prefix(length).map { Array($0.readableBytesView) }
            check(taken == (length <= held.count ? Array(held.prefix(length)) : nil), "prefix \(length)")
        default:
            let rest = buffer.withUnsafeAvailableBytes { Array($0) }
            check(rest == Array(held[mark...]), "\(rest) instead of \(held[mark...])")
        }
        check(buffer.peekedBytes == mark && buffer.availableBytes == held.count - mark, "mark \(buffer.peekedBytes)")
        check(buffer.count == held.count, "\(buffer.count) bytes")
    }
}

private let commands = RespCommandTable(
    """
    get 2 r 1:0,1,0
    mset -3 w 1:-1,2,0
    config -2 -
    config|get -3 -
    zunionstore -4 w 1:0,1,0 2:n0,1,1
    xread -4 rb STREAMS@1:-1,1,2
    """)

/// The words and the keys of a request in RESP, which is made of the input's words, and read again.
private func checkWords(_ bytes: [UInt8]) {
    let words = bytes.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false).map {
        ByteBuffer(bytes: $0)
    }
    guard !words.isEmpty else { return }
    var buffer = PeekBuffer(RespRequest(words).bytes)
    guard let request = try? RespRequest(&buffer, commands) else { fatalError("what was made cannot be read") }
    check(request.words(0) == words && request.count == words.count, "\(request.words(0))")
    for (index, word) in words.enumerated() { check(request[index] == word, "word \(index)") }
    let name = String(buffer: words[0]).lowercased()
    let first = commands.commands.firstIndex { $0.name == name && !name.contains("|") }
    let isContainer = name == "config" && words.count > 1
    let second = isContainer && String(buffer: words[1]).lowercased() == "get" && words[1].readableBytes == 3
    let found = isContainer ? (second ? commands.commands.firstIndex { $0.name == "config|get" } : nil) : first
    if words[0].readableBytesView.allSatisfy({ $0 < 128 }) { check(request.commandNumber == found, "\(name)") }
    guard let number = request.commandNumber else { return }
    for key in commands.commands[number].keys(of: request) { check(words.contains(key), "\(key) is no word") }
}

/// The parts of a reply are replies, and hold all that is in it.
private func checkReply(_ bytes: [UInt8]) {
    let answer = checkDripFeed(ByteBuffer(bytes: bytes)) { bytes throws(ProxyError) in
        try RespReply(&bytes, to: RespRequest("PING"))?.bytes
    }
    guard case .parsed(let bytes, _) = answer else { return }
    var buffer = PeekBuffer(bytes)
    guard let reply = try? RespReply(&buffer, to: RespRequest("PING")) else { fatalError("no reply any more") }
    _ = (reply.text, reply.leaves)
    let elements = reply.elements
    guard !elements.isEmpty else { return }
    check(RespReply(array: elements).elements.map(\.value) == elements.map(\.value), "other elements")
}

/// Calls a helper, and checks that it leaves the mark where it is if it takes nothing.
private func unmoved(
    _ bytes: inout PeekBuffer, _ helper: (inout PeekBuffer) throws(ProxyError) -> ByteBuffer?
) throws(ProxyError) -> ByteBuffer? {
    let mark = bytes.peekedBytes
    let taken = try helper(&bytes)
    check(taken != nil || bytes.peekedBytes == mark, "nothing was taken, and the mark moved")
    return taken
}
