import CFSBlocks
import CFSModel
public import CFSRing
import NIOCore
import ONCRPC

/// Which blocks are right where those named by a key are signed: by the key of their name, and of two the later one counts.
public struct SignedBlockRules: BlockRules {
    /// The rules.
    public init() {}

    public func isRight(_ data: [UInt8], _ key: BlockKey) -> Bool {
        guard key.type == .keyHash else { return isRightWithoutKey(data, key) }
        return (try? SignedBlock(ByteBuffer(bytes: data), named: key.id)) != nil
    }

    public func version(of data: [UInt8]) -> Int64? {
        // The signature was asked for before the block was kept.
        (try? XDRReader.readAll(ByteBuffer(bytes: data), as: SignedBlock.self)).map { Int64($0.version) }
    }
}
