public import CFSModel
public import ONCRPC

/// Why bytes are not the signed block that was asked for, or not one that counts.
public struct SignedBlockError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Code: Hashable, Sendable {
        /// The block is longer than a block can be.
        case tooLarge(bytes: Int)
        /// The bytes are no signed block.
        case malformed(XDRError)
        /// The key, with the salt, is not the one that the block's name says.
        case wrongKey
        /// The signature is not that of the key.
        case badSignature
        /// The version is older than one that was seen.
        case olderVersion(UInt32, seen: UInt32)
    }

    /// What is wrong.
    public var code: Code
    /// The name of the block.
    public var block: ChordID

    /// An error, at a block.
    public init(_ code: Code, block: ChordID) {
        self.code = code
        self.block = block
    }

    /// One sentence.
    public var description: String { "\(what) (block \(block))" }

    private var what: String {
        switch code {
        case .tooLarge(let bytes): "a block of \(bytes) bytes, where \(SignedBlockLimits.blockBytes) is the most"
        case .malformed(let error): "no signed block: \(error)"
        case .wrongKey: "the key is not the one of the name"
        case .badSignature: "the signature is not that of the key"
        case .olderVersion(let version, let seen): "version \(version), where \(seen) was seen"
        }
    }
}
