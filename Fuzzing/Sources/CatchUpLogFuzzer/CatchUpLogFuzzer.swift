import NIOCore
import VersionKit

/// Feeds the decoder of catch-up logs whatever libFuzzer thinks of. The first byte says how: as a file, or as the bodies
/// of records, each with its length before it, which get the checksums that chance would never find.
///
/// What must hold, beyond not crashing:
/// 1. byte by byte, the decoder answers as with all of the input at once;
/// 2. what was read is written to bytes that are read as the same;
/// 3. a queue that is made of it brings no more writes to its version than it has, each once, and takes further ones.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let kind = input.first else { return 0 }
    let file = kind & 1 == 0 ? ByteBuffer(bytes: input.dropFirst()) : sealed(input.dropFirst())
    let answer = read(file, by: .max)
    let drip = read(file, by: 1)
    check(answer == drip, "at once: \(answer), byte by byte: \(drip)")
    checkRoundTrip(answer.records)
    for copiesKeys in [false, true] { checkQueue(answer, copiesKeys: copiesKeys) }
    return 0
}

private struct Answer: Equatable {
    var records: [CatchUpRecord] = []
    var isTorn = false
    var error: CatchUpLogError?
}

private func read(_ file: ByteBuffer, by step: Int) -> Answer {
    var (decoder, answer, rest) = (CatchUpLogDecoder(), Answer(), file)
    do throws(CatchUpLogError) {
        repeat {
            if let part = rest.readSlice(length: min(step, rest.readableBytes)) { decoder.append(part) }
            while let record = try decoder.next() { answer.records.append(record) }
        } while rest.readableBytes > 0
        answer.isTorn = decoder.isTorn
    } catch {
        answer.error = error
    }
    return answer
}

private func checkRoundTrip(_ records: [CatchUpRecord]) {
    var bytes = ByteBuffer(bytes: CatchUpLogDecoder.prologue)
    for record in records { record.encode(into: &bytes) }
    let again = read(bytes, by: .max)
    check(again == Answer(records: records), "\(records) came back as \(again)")
}

private func checkQueue(_ answer: Answer, copiesKeys: Bool) {
    var recovery = CatchUpRecovery()
    for record in answer.records { recovery.add(record) }
    if let error = answer.error { recovery.noteDamage("\(error)") }
    var queue = CatchUpQueue(copiesKeys: copiesKeys, recovering: recovery)
    check(!copiesKeys || recovery.isEmpty || queue.next(10) == .everything, "something was missed, and is not compared")
    let last = ByteBuffer(string: "last")
    queue.append(MissedWrite(.key(last), .replay(last, prelude: [])))
    let count = queue.count
    var steps = 0
    while let step = queue.next(10) {
        steps += 1
        check(steps <= count, "more steps than writes")
        switch step {
        case .everything: return check(copiesKeys, "keys cannot be compared")
        case .replay(_, let through), .copy(_, let through):
            queue.begin(through: through)
            queue.done(through: through)
        }
    }
    check(queue.isEmpty && queue.bytes == 0, "\(queue.count) are left in \(queue.bytes) bytes")
}

/// A file of records with these bodies.
private func sealed(_ bodies: ArraySlice<UInt8>) -> ByteBuffer {
    var file = ByteBuffer(bytes: CatchUpLogDecoder.prologue)
    var rest = bodies
    while let length = rest.popFirst() {
        let body = Array(rest.prefix(Int(length)))
        rest = rest.dropFirst(Int(length))
        let count = ByteBuffer(integer: UInt32(body.count))
        file.writeImmutableBuffer(count)
        file.writeInteger(crc32(Array(count.readableBytesView)))
        file.writeInteger(crc32(body))
        file.writeBytes(body)
    }
    return file
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
    }
    return ~sum
}

private func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { fatalError(message()) }
}
