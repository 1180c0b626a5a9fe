public import CFSModel
public import CFSProtocol1
public import CFSProtocol2
public import NIOCore

/// What the name of a block proves of it, as far as both generations know it.
public enum GatewayBlockKind: Hashable, Sendable, CaseIterable {
    /// The name is the content's SHA-1.
    case contentHash
    /// The name is that of a key and a salt; the block is signed.
    case keyHash
    /// Nothing.
    case unauthenticated

    /// Its number in 2004.
    public var of2004: Gateway1.Kind {
        switch self {
        case .contentHash: .contentHash
        case .keyHash: .keyHash
        case .unauthenticated: .unauthenticated
        }
    }

    /// Its number in 2008.
    public var of2008: Gateway2.Kind {
        switch self {
        case .contentHash: .contentHash
        case .keyHash: .keyHash
        case .unauthenticated: .unauthenticated
        }
    }
}

/// What a gateway said of a block that it found. Nothing of it is proven.
public struct GatewayBlock: Hashable, Sendable {
    /// The block.
    public var bytes: ByteBuffer
    /// Until when it is kept, in seconds since 1970; nil if nobody said, as in 2004.
    public var expiration: UInt32?
    /// Steps of the look-up.
    public var hops: Int
    /// Nodes that failed on the way.
    public var errors: Int
    /// How often the node tried again.
    public var retries: Int
    /// Milliseconds that the parts of the retrieval took.
    public var times: [UInt32]
    /// The nodes on the way.
    public var path: [ChordID]
}
