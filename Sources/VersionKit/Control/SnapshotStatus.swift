public import VersionKitModel

/// One snapshot of a version on a node.
public struct SnapshotStatus: Sendable, Equatable, Codable {
    /// Its name, by which a rollback asks for it.
    public var id: String
    /// The application.
    public var application: ApplicationID
    /// The version that it was taken of.
    public var version: Version
    /// What is in it.
    public var level: SnapshotLevel
    /// The kind of environment that it is for.
    public var kind: IsolationKind
    /// When it was taken, in seconds since 1970.
    public var time: Int64
    /// What it takes on the disk, in bytes.
    public var bytes: UInt64
    /// Why it was taken: `beforeUpgrade`, `beforeRetirement`, `byOperator`.
    public var reason: String

    /// A snapshot.
    public init(
        id: String, application: ApplicationID, version: Version, level: SnapshotLevel, kind: IsolationKind,
        time: Int64, bytes: UInt64, reason: String
    ) {
        self.id = id
        self.application = application
        self.version = version
        self.level = level
        self.kind = kind
        self.time = time
        self.bytes = bytes
        self.reason = reason
    }
}
