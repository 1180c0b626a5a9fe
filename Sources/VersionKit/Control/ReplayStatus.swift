/// What is kept for a version that retired, so that what clients wrote since can be replayed to it.
public struct ReplayStatus: Codable, Sendable, Equatable {
    /// The snapshot that it is gone back to by; `nil`: it is not taken yet.
    public var snapshot: String?
    /// Writes that were logged since; 0 where keys are compared instead.
    public var writes: UInt64
    /// The bytes of the log.
    public var bytes: UInt64
    /// Why nothing can be replayed to it.
    public var failure: String?

    /// A status.
    public init(snapshot: String?, writes: UInt64, bytes: UInt64, failure: String?) {
        self.snapshot = snapshot
        self.writes = writes
        self.bytes = bytes
        self.failure = failure
    }
}
