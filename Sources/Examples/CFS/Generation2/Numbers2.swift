import CFSModel
import CFSProtocol
public import CFSProtocol2
public import CFSRing
import ONCRPC

extension BlockType {
    /// The number of 2008.
    public var kind2: Gateway2.Kind {
        switch self {
        case .contentHash: .contentHash
        case .keyHash: .keyHash
        case .noAuth: .unauthenticated
        }
    }

    /// The type with a number of 2008; nil for blocks that are appended to.
    public init?(_ kind: Gateway2.Kind) {
        switch kind {
        case .contentHash: self = .contentHash
        case .keyHash: self = .keyHash
        case .unauthenticated: self = .noAuth
        case .append: return nil
        }
    }
}

extension StorePurpose {
    var purpose2: DHash2.Purpose {
        switch self {
        case .store: .store
        case .cache: .cache
        case .fragment: .fragment
        case .replica: .replica
        }
    }

    /// Nil if there is nothing to be kept.
    init?(_ purpose: DHash2.Purpose) {
        switch purpose {
        case .store: self = .store
        case .cache: self = .cache
        case .fragment: self = .fragment
        case .replica: self = .replica
        case .missing: return nil
        }
    }
}

extension DHashFailure {
    /// The number of 2008.
    public var status2: Gateway2.Status { Gateway2.Status(rawValue: UInt32(rawValue)) ?? .error }

    init(_ status: DHash2.Status) { self = DHashFailure(rawValue: Int32(status.rawValue)) ?? .error }
}
