import CFSModel
public import CFSProtocol
public import CFSProtocol1
public import CFSRing
import ONCRPC

extension BlockType {
    /// The number of 2004.
    public var kind1: Gateway1.Kind {
        switch self {
        case .contentHash: .contentHash
        case .keyHash: .keyHash
        case .noAuth: .unauthenticated
        }
    }

    /// The type with a number of 2004; nil for blocks that are appended to, and for unknown ones.
    public init?(_ kind: Gateway1.Kind) {
        switch kind {
        case .contentHash: self = .contentHash
        case .keyHash: self = .keyHash
        case .unauthenticated: self = .noAuth
        case .append, .unknown: return nil
        }
    }
}

extension StorePurpose {
    var purpose1: DHash1.Purpose {
        switch self {
        case .store: .store
        case .cache: .cache
        case .fragment: .fragment
        case .replica: .replica
        }
    }

    init(_ purpose: DHash1.Purpose) {
        switch purpose {
        case .store: self = .store
        case .cache: self = .cache
        case .fragment: self = .fragment
        case .replica: self = .replica
        }
    }
}

extension OfferAnswer {
    /// The number of 2004, which generation 2 keeps.
    public var status1: DHash1.OfferStatus {
        switch self {
        case .present: .present
        case .accept: .accept
        case .reject: .reject
        }
    }

    /// The answer with a number of 2004.
    public init(_ status: DHash1.OfferStatus) {
        switch status {
        case .present: self = .present
        case .accept: self = .accept
        case .reject: self = .reject
        }
    }
}

extension ChordFailure {
    /// The number, which is the same in both generations.
    public var status1: Chord1.Status {
        switch self {
        case .noEntry: .noEntry
        case .unreachable: .unreachable
        case .stopped: .stopped
        }
    }

    /// A status that is no failure, or whose reason this node cannot know, is as good as no answer.
    public init(_ status: Chord1.Status) {
        switch status {
        case .noEntry: self = .noEntry
        case .stopped: self = .stopped
        case .ok, .unreachable, .inRange, .notInRange, .noHandler: self = .unreachable
        }
    }
}

extension DHashFailure {
    /// The number of 2004.
    public var status1: Gateway1.Status {
        // Both are `dhash_stat`.
        Gateway1.Status(rawValue: UInt32(rawValue)) ?? .error
    }

    init(_ status: DHash1.Status) { self = DHashFailure(rawValue: Int32(status.rawValue)) ?? .error }
}

extension MerkleSync1.Node {
    /// The form of a part.
    public init(_ node: MerkleNode) {
        let children: [MerkleHash]
        let isLeaf: Bool
        switch node.content {
        case .leaf(let keys): (children, isLeaf) = (keys.map { MerkleHash(key: $0) }, true)
        case .inner(let hashes): (children, isLeaf) = (hashes, false)
        }
        self.init(
            depth: UInt32(node.level), prefix: MerkleSync1.Hash(MerkleHash(key: node.prefix)), isLeaf: isLeaf,
            count: node.count, hash: MerkleSync1.Hash(node.hash), children: children.map { MerkleSync1.Hash($0) })
    }
}

extension MerkleNode {
    /// The part that was sent; nil if no honest tree shows it.
    public init?(_ node: MerkleSync1.Node) {
        self.init(
            level: Int(node.depth), prefix: node.prefix.hash.key, count: node.count, hash: node.hash.hash,
            content: node.isLeaf ? .leaf(node.children.map(\.hash.key)) : .inner(node.children.map(\.hash)))
        if isNonsense { return nil }
    }
}
