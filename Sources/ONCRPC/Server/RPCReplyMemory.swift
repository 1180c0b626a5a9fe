public import NIOCore

/// Replies that a server over UDP gave, for calls that come once more: the duplicate request cache.
///
/// A client sends a call again when it has no reply: then the call, the reply, or both were late or lost. Without memory
/// the server would carry it out twice. A call counts as the same one if it comes from the same sender and is the same in
/// every part; another one with the same number, of a client that began anew, is not taken for it.
///
/// Bounded by entries, bytes and time (``RPCLimits``): the oldest replies are forgotten first. A call of which the memory
/// knows nothing any more is carried out again.
public struct RPCReplyMemory<Peer: Hashable & Sendable>: Sendable {
    /// Which call, of whom.
    public struct Key: Hashable, Sendable {
        let peer: Peer
        let xid: UInt32
        /// Of the whole call, by Swift's keyed hash: nobody can make two that have the same.
        let fingerprint: Int
    }

    /// What is known of a call.
    public enum Knowledge: Sendable {
        /// Nothing: it counts as being carried out from now on.
        case new(Key)
        /// It is being carried out.
        case inProgress
        /// It was carried out, and this was answered.
        case answered(ByteBuffer)
        /// Nothing, and so many calls are being carried out that this one has to come again.
        case busy
    }

    private enum Entry: Sendable {
        case inProgress
        case answered(ByteBuffer)
    }

    /// How many calls are being carried out.
    public private(set) var inProgressCount = 0
    /// Bytes of the replies that are remembered.
    public private(set) var bytes = 0

    private let limits: RPCLimits
    private var entries: [Key: Entry] = [:]
    private var order = CircularBuffer<(key: Key, end: Duration)>()

    /// An empty memory.
    public init(limits: RPCLimits = .standard) { self.limits = limits }

    /// How many replies are remembered.
    public var count: Int { order.count }

    /// A call came.
    public mutating func receive(_ call: RPCCall, from peer: Peer, at now: Duration) -> Knowledge {
        while let oldest = order.first, oldest.end <= now { forgetOldest() }
        var hasher = Hasher()
        call.hash(into: &hasher)
        let key = Key(peer: peer, xid: call.xid, fingerprint: hasher.finalize())
        switch entries[key] {
        case .inProgress: return .inProgress
        case .answered(let reply): return .answered(reply)
        case nil:
            guard inProgressCount < limits.servedCallsMax else { return .busy }
            entries[key] = .inProgress
            inProgressCount += 1
            return .new(key)
        }
    }

    /// A call was carried out, and this is answered.
    public mutating func finish(_ key: Key, with reply: ByteBuffer, at now: Duration) {
        guard case .inProgress = entries[key] else { preconditionFailure("the call is not being carried out") }
        inProgressCount -= 1
        guard reply.readableBytes <= limits.rememberedBytesMax, limits.rememberedRepliesMax > 0 else {
            entries[key] = nil
            return
        }
        entries[key] = .answered(reply)
        order.append((key, now + limits.rememberedTime))
        bytes += reply.readableBytes
        while order.count > limits.rememberedRepliesMax || bytes > limits.rememberedBytesMax { forgetOldest() }
    }

    private mutating func forgetOldest() {
        guard let (key, _) = order.popFirst(), case .answered(let reply) = entries.removeValue(forKey: key) else {
            return
        }
        bytes -= reply.readableBytes
    }
}
