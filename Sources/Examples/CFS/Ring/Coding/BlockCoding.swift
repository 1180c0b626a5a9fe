/// How blocks that are named by their content become fragments.
public enum BlockCoding: Hashable, Sendable {
    /// Rabin's dispersal over GF(65537), as generation 1 has it: all fragments have random coefficients.
    case dispersal
    /// Reed-Solomon over GF(256), as generation 2 has it: the first fragments are the block itself.
    case systematic

    /// What each of `count` nodes is to keep of a block.
    ///
    /// - Parameter size: How many fragments each of them gets; one with dispersal, whose format has no room for more.
    func shares(
        of block: [UInt8], needed: Int, count: Int, size: Int, using random: inout some RandomNumberGenerator
    ) -> [[UInt8]] {
        switch self {
        case .dispersal:
            Dispersal.fragments(of: block, needed: needed, count: count, using: &random).map(\.encoded)
        case .systematic:
            SystematicCode.shares(of: block, needed: needed, count: count, size: size)
                .map { $0.flatMap(\.encoded) }
        }
    }

    /// What a node keeps that lacks its own share.
    func anotherShare(
        of block: [UInt8], needed: Int, size: Int, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        switch self {
        case .dispersal: Dispersal.fragments(of: block, needed: needed, count: 1, using: &random)[0].encoded
        case .systematic:
            SystematicCode.anotherShare(of: block, needed: needed, size: size, using: &random).flatMap(\.encoded)
        }
    }

    /// The fragments of one block that a node keeps.
    func share(decoding bytes: [UInt8]) throws(FragmentError) -> [KeptFragment] {
        switch self {
        case .dispersal: [.dispersed(try Fragment(decoding: bytes))]
        case .systematic: try CodedFragment.share(decoding: bytes).map { .coded($0) }
        }
    }

    func block(from fragments: [KeptFragment]) throws(FragmentError) -> [UInt8] {
        switch self {
        case .dispersal:
            try Dispersal.block(
                from: fragments.compactMap { if case .dispersed(let fragment) = $0 { fragment } else { nil } })
        case .systematic:
            try SystematicCode.block(
                from: fragments.compactMap { if case .coded(let fragment) = $0 { fragment } else { nil } })
        }
    }
}

/// A fragment of either coding.
enum KeptFragment: Hashable, Sendable {
    case dispersed(Fragment)
    case coded(CodedFragment)

    var needed: Int {
        switch self {
        case .dispersed(let fragment): fragment.needed
        case .coded(let fragment): fragment.needed
        }
    }

    var blockLength: Int {
        switch self {
        case .dispersed(let fragment): fragment.blockLength
        case .coded(let fragment): fragment.blockLength
        }
    }
}
