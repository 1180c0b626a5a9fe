public import NIOCore

/// A write that one version missed and others did.
public struct MissedWrite: Sendable, Hashable {
    /// How the version gets it.
    public enum Content: Sendable, Hashable {
        /// These bytes are sent to it, in its own protocol. `prelude` are requests that bring a connection into the
        /// session that the write belongs to.
        case replay(ByteBuffer, prelude: [ByteBuffer])
        /// The state of the keys is copied from a version that has it.
        case copy
    }

    /// What it touches.
    public var keys: Keys
    /// How the version gets it.
    public var content: Content
    /// Whether it may be sent once more when it is unknown whether the version did it.
    public var isIdempotent: Bool

    /// A write that was missed.
    public init(_ keys: Keys, _ content: Content, isIdempotent: Bool = false) {
        self.keys = keys
        self.content = content
        self.isIdempotent = isIdempotent
    }

    /// What it takes in memory, roughly, in bytes.
    public var size: Int {
        let keys = (self.keys.names ?? []).reduce(0) { $0 + $1.readableBytes + 16 }
        guard case .replay(let bytes, let prelude) = content else { return keys + 32 }
        return keys + bytes.readableBytes + prelude.reduce(0) { $0 + $1.readableBytes } + 64
    }
}
