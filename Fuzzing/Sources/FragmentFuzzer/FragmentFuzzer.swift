import CFSRing

/// Feeds the decoder of fragments whatever libFuzzer thinks of, and makes blocks of what it lets through.
///
/// The first byte says in how many parts the rest is cut: each is a fragment of its own. What must hold, beyond not crashing:
/// 1. a fragment is within its limits, and is encoded to bytes that decode to the same fragment;
/// 2. no beginning of a fragment is one;
/// 3. a block has the length that its fragments say.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let parts = Int(first % 8) + 1
    let bytes = input.dropFirst()
    let length = max(1, (bytes.count + parts - 1) / parts)
    var fragments: [Fragment] = []
    for begin in stride(from: 0, to: bytes.count, by: length) {
        let part = Array(bytes.dropFirst(begin).prefix(length))
        guard let fragment = try? Fragment(decoding: part) else { continue }
        checkRoundTrip(fragment, of: part)
        fragments.append(fragment)
    }
    if let block = try? Dispersal.block(from: fragments) {
        check(block.count == fragments[0].blockLength, "\(block.count) bytes instead of \(fragments[0].blockLength)")
    }
    return 0
}

private func checkRoundTrip(_ fragment: Fragment, of bytes: [UInt8]) {
    check((1...32).contains(fragment.needed), "\(fragment.needed) fragments needed")
    let encoded = fragment.encoded
    check(encoded.count <= bytes.count, "\(bytes.count) bytes became \(encoded.count)")
    check((try? Fragment(decoding: encoded)) == fragment, "a fragment came back as another one")
    for length in [0, 1, bytes.count / 2, bytes.count - 1] where length < bytes.count {
        check((try? Fragment(decoding: Array(bytes.prefix(length)))) == nil, "\(length) bytes of it are a fragment too")
    }
}

private func check(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { fatalError(message()) }
}
