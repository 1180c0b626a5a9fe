import CFSRing

/// Feeds the decoders of fragments, of both generations, whatever libFuzzer thinks of, and makes blocks of what it lets through.
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
    var coded: [CodedFragment] = []
    for begin in stride(from: 0, to: bytes.count, by: length) {
        let part = Array(bytes.dropFirst(begin).prefix(length))
        if let share = try? CodedFragment.share(decoding: part) {
            check(share.flatMap(\.encoded) == part, "fragments of generation 2 came back as other bytes")
            check((try? CodedFragment(decoding: part)) == (share.count == 1 ? share[0] : nil), "one is not one")
            coded += share
        }
        guard let fragment = try? Fragment(decoding: part) else { continue }
        checkRoundTrip(fragment, of: part)
        fragments.append(fragment)
    }
    if let block = try? Dispersal.block(from: fragments) {
        check(block.count == fragments[0].blockLength, "\(block.count) bytes instead of \(fragments[0].blockLength)")
    }
    if let block = try? SystematicCode.block(from: coded) {
        check(block.count == coded[0].blockLength, "\(block.count) bytes instead of \(coded[0].blockLength)")
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
