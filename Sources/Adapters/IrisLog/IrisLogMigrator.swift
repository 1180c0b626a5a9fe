public import VersionKit

/// Copies a node's database from version 1 to version 2, or back: exported from the one, and merged into the other (R25).
///
/// Merging adds readings that are missing and never replaces one, so what clients write meanwhile, to both versions, is
/// safe, and running it again does no harm. Version 1 cannot merge, but a reading that it has already changes nothing
/// there either: it is told each as an update.
public struct IrisLogMigrator: Migrator {
    /// The migrator; it has no state.
    public init() {}

    /// Updates that are sent at one time.
    private static let updatesAtOnce = 256

    public func migrate(
        from source: MigrationEnd, to destination: MigrationEnd, progress: @Sendable (MigrationProgress) -> Void
    ) async throws { progress(try await copy(from: source, to: destination)) }

    /// How often it is looked again whether anything is missing: what a client writes at the moment may be in one version
    /// only.
    private static let verificationsMax = 5

    /// Copies, and exports once more: if none of it is new to the other version, all is there.
    public func run(_ run: MigrationRun) async throws {
        run.progress(try await copy(from: run.source, to: run.destination))
        for _ in 1...Self.verificationsMax {
            let seen = try await copy(from: run.source, to: run.destination)
            if seen.copied == 0 { return run.verified(seen.examined) }
        }
        throw IncompleteMigration()
    }

    private func copy(from source: MigrationEnd, to destination: MigrationEnd) async throws -> MigrationProgress {
        let adapter = IrisLogAdapter()
        let exported = try await VersionClient.ask(
            .init(kind: .export), of: source, through: adapter)
        guard case .database(let xml) = exported else { throw MigrationFailure("exporting", exported) }
        let readings = xml.split(separator: "<reading ").count - 1
        guard destination.version >= IrisLogAdapter.protocol2 else {
            let copied = try await tell(ExportedReadings(xml).updates, to: destination, adapter)
            return MigrationProgress(examined: UInt64(readings), copied: UInt64(copied))
        }
        let merged = try await VersionClient.ask(.init(kind: .merge(xml)), of: destination, through: adapter)
        guard case .merged(let count) = merged else { throw MigrationFailure("merging", merged) }
        return MigrationProgress(examined: UInt64(readings), copied: UInt64(count))
    }

    /// Has a version that cannot merge take what it lacks; how many readings that were.
    private func tell(
        _ updates: [IrisLogRequest], to destination: MigrationEnd, _ adapter: IrisLogAdapter
    ) async throws -> Int {
        let exported = try await VersionClient.ask(.init(kind: .export), of: destination, through: adapter)
        guard case .database(let xml) = exported else { throw MigrationFailure("exporting", exported) }
        let present = Set(ExportedReadings(xml).updates.map(\.reading))
        let missing = updates.filter { !present.contains($0.reading) }
        for start in stride(from: 0, to: missing.count, by: Self.updatesAtOnce) {
            let next = Array(missing[start...].prefix(Self.updatesAtOnce))
            let replies = try await VersionClient.ask(next, of: destination, through: adapter)
            if let other = replies.first(where: { $0 != .done }) { throw MigrationFailure("an update", other) }
        }
        return missing.count
    }
}

extension IrisLogRequest {
    /// What an update is known by: whatever its value, the first one by this name stays.
    fileprivate var reading: String {
        guard case .update(let path, let sensor, let sequence, _, _) = kind else { return "" }
        return "\(path) \(sensor) \(sequence)"
    }
}

/// Readings are still missing after the last look.
struct IncompleteMigration: Error, CustomStringConvertible {
    let description = "the new version does not keep what is merged into it"
}

/// What a version answered instead of doing its part.
struct MigrationFailure: Error, CustomStringConvertible {
    let description: String

    init(_ what: String, _ reply: IrisLogReply) { description = "\(what) was answered with \(reply)" }
}
