/// The release of the programs that this is compiled into.
public enum VersionKitRelease {
    /// Its number.
    public static let number = "0.1.0"
}

/// What a node's last hot restart was like: `versionctl restart`.
public struct RestartStatus: Codable, Sendable, Equatable {
    /// How many there were since versiond was started.
    public var number: UInt64
    /// How long the router stood still, in microseconds.
    public var pauseMicroseconds: Int64
    /// The release of the versiond before.
    public var before: String
    /// The release of the versiond that runs.
    public var after: String
    /// Why the last one that was asked for was not done; `nil` if it was.
    public var failure: String?

    /// A status.
    public init(
        number: UInt64 = 0, pauseMicroseconds: Int64 = 0, before: String = VersionKitRelease.number,
        after: String = VersionKitRelease.number, failure: String? = nil
    ) {
        self.number = number
        self.pauseMicroseconds = pauseMicroseconds
        self.before = before
        self.after = after
        self.failure = failure
    }
}
