import CFSBlocks
import CFSModel
import CFSProtocol
import CFSProtocol2
import VersionKit

/// What a block says about itself, which is why answers of two versions can be compared without trusting either.
public enum BlockProof: Sendable, Hashable, Comparable {
    /// It is not what its name promises.
    case wrong
    /// Nothing can be proved about it, or there is none.
    case none
    /// It is what was published under the name; of signed blocks the one with the greatest version counts.
    case right(version: UInt32)

    /// Looks at a block that was put or found under a name.
    init(_ block: ByteBuffer, kind: Gateway2.Kind, named name: ChordID) {
        switch kind {
        case .contentHash: self = ChordID(hashing: block.readableBytesView) == name ? .right(version: 0) : .wrong
        case .keyHash:
            self = (try? SignedBlock(block, named: name)).map { .right(version: $0.version) } ?? .wrong
        case .unauthenticated, .append: self = .none
        }
    }

    /// Looks at what was found.
    init(_ result: Gateway2.RetrieveResult, to ask: Gateway2.Retrieval) {
        guard case .found(let found) = result else {
            self = .none
            return
        }
        self = found.kind == ask.kind ? Self(found.block, kind: ask.kind, named: ask.key) : .wrong
    }
}
