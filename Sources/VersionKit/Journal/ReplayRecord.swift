/// What is kept for a version that retires, so that what clients write from then on can be replayed to it (R19).
public struct ReplayRecord: Codable, Sendable, Equatable {
    /// The snapshot that its log goes on from; `nil`: it is not taken yet.
    public var snapshot: String?
    /// Why there is no log any more.
    public var failure: String?

    /// A log that begins, or one that came to nothing.
    public init(failure: String? = nil) { self.failure = failure }
}
