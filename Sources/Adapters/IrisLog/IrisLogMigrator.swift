public import VersionKit

/// Copies a node's database from version 1 to version 2, or back: exported from the one, and merged into the other (R25).
///
/// Merging adds readings that are missing and never replaces one, so what clients write meanwhile, to both versions, is
/// safe, and running it again does no harm. Version 1 cannot merge, but a reading that it has already changes nothing
/// there either: it is told each as an update.
public struct IrisLogMigrator: Migrator {
    /// The migrator; it has no state.
    public init() {}

    public func migrate(
        from source: MigrationEnd, to destination: MigrationEnd, progress: @Sendable (MigrationProgress) -> Void
    ) async throws { progress(try await copy(from: source, to: destination)) }

    public func run(_ run: MigrationRun) async throws {
        try await run.copyUntilComplete { try await copy(from: run.source, to: run.destination) }
    }

    private func copy(from source: MigrationEnd, to destination: MigrationEnd) async throws -> MigrationProgress {
        let exported = try await export(of: source)
        let copied =
            destination.version < IrisLogAdapter.protocol2
            ? try await tell(ExportedReadings(exported), to: destination) : try await merge(exported, into: destination)
        return MigrationProgress(examined: UInt64(exported.split(separator: "<reading ").count - 1), copied: copied)
    }

    private func export(of end: MigrationEnd) async throws -> String {
        let reply = try await VersionClient.ask(.init(kind: .export), of: end, through: IrisLogAdapter())
        guard case .database(let xml) = reply else { throw MigrationError("exporting was answered with \(reply)") }
        return xml
    }

    private func merge(_ xml: String, into end: MigrationEnd) async throws -> UInt64 {
        let reply = try await VersionClient.ask(.init(kind: .merge(xml)), of: end, through: IrisLogAdapter())
        guard case .merged(let count) = reply else { throw MigrationError("merging was answered with \(reply)") }
        return UInt64(count)
    }

    /// Has a version that cannot merge take what it lacks; how many readings that were.
    private func tell(_ readings: ExportedReadings, to end: MigrationEnd) async throws -> UInt64 {
        let missing = readings.updates(missingIn: ExportedReadings(try await export(of: end)))
        let replies = try await VersionClient.ask(missing, of: end, through: IrisLogAdapter())
        if let other = replies.first(where: { $0 != .done }) {
            throw MigrationError("an update was answered with \(other)")
        }
        return UInt64(missing.count)
    }
}
