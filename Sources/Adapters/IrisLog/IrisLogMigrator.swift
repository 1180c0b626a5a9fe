public import VersionKit

/// Copies a node's database from version 1 to version 2: exported from the one, merged into the other (R25).
///
/// Merging adds readings that are missing and never replaces one, so what clients write meanwhile, to both versions, is
/// safe, and running it again does no harm.
public struct IrisLogMigrator: Migrator {
    /// The migrator; it has no state.
    public init() {}

    public func migrate(
        from source: MigrationEnd, to destination: MigrationEnd, progress: @Sendable (MigrationProgress) -> Void
    ) async throws {
        let adapter = IrisLogAdapter()
        let exported = try await VersionClient.ask(
            .init(kind: .export), of: source, through: adapter)
        guard case .database(let xml) = exported else { throw MigrationFailure("exporting", exported) }
        let readings = xml.split(separator: "<reading ").count - 1
        progress(MigrationProgress(examined: UInt64(readings), copied: 0))
        let merged = try await VersionClient.ask(.init(kind: .merge(xml)), of: destination, through: adapter)
        guard case .merged(let count) = merged else { throw MigrationFailure("merging", merged) }
        progress(MigrationProgress(examined: UInt64(readings), copied: UInt64(count)))
    }
}

/// What a version answered instead of doing its part.
struct MigrationFailure: Error, CustomStringConvertible {
    let description: String

    init(_ what: String, _ reply: IrisLogReply) { description = "\(what) was answered with \(reply)" }
}
