public import VersionKitModel

/// Copies an application's state on one node from the old version to the new one, while clients go on writing to both.
///
/// Written by the application's developer and run by the upgrade, twice per node: before the new version serves, and once
/// more before the old one goes, for what came to that alone meanwhile, by nodes that had not migrated. An implementation must
/// be idempotent (it is run again from the beginning after a crash, too) and must never replace or bring back what a client wrote or
/// deleted since the migration began: clients' writes reach both versions, so what the new version already has is at
/// least as new as the copy.
///
/// - Note: R16, S 3.3; DESIGN 5, "writes to several versions".
public protocol Migrator: Sendable {
    /// Copies everything. Returning means that whatever a client could read from the old version it can read from the
    /// new one.
    ///
    /// - Parameters:
    ///   - source: where the old version's clients reach it.
    ///   - destination: where the new version's clients reach it.
    ///   - progress: to be told from time to time; it does not block for long.
    /// - Throws: anything; the upgrade is then undone with the error's description as its reason.
    func migrate(
        from source: MigrationEnd, to destination: MigrationEnd, progress: @Sendable (MigrationProgress) -> Void
    ) async throws

    /// The same for a migrator that can go on where another run of it stopped, that keeps to a rate, or that verifies what it
    /// did. By default all that ``migrate(from:to:progress:)`` does.
    func run(_ run: MigrationRun) async throws
}

/// One of the two versions between which state is copied.
public struct MigrationEnd: Sendable, Hashable {
    /// The version.
    public var version: Version
    /// Where it serves its clients.
    public var client: Endpoint

    /// One end of a migration.
    public init(version: Version, client: Endpoint) {
        self.version = version
        self.client = client
    }
}

/// How far a migration is.
public struct MigrationProgress: Sendable, Hashable, Codable {
    /// Records that were looked at.
    public var examined: UInt64
    /// Records that the new version did not have and got.
    public var copied: UInt64

    /// How far a migration is.
    public init(examined: UInt64, copied: UInt64) {
        self.examined = examined
        self.copied = copied
    }
}
