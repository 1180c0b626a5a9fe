public import VersionKitModel
public import VersionKitUpgrade
import Foundation
import GRDB

/// What a node must not forget: every version's place in its upgrade, written before the effect it stands for.
///
/// SQLite, synchronous: when a call returns, the disk has it. Thread-safe.
public final class Journal: Sendable {
    private let database: DatabaseQueue
    private let reserve: Reserve

    /// Opens the journal at a path, or makes one.
    ///
    /// - Throws: an error of SQLite's if the file is not a journal or cannot be written.
    public init(path: String) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        reserve = Reserve(path: path + ".reserve")
        database = try DatabaseQueue(path: path, configuration: configuration)
        reserve.take()
        try Self.migrations.migrate(database)
    }

    private static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: versions, stages, events") { database in
            try database.create(table: "version") { table in
                table.column("application", .text).notNull()
                table.column("number", .integer).notNull()
                table.column("record", .blob).notNull()
                table.primaryKey(["application", "number"])
            }
            try database.create(table: "stage") { table in
                table.column("application", .text).notNull()
                table.column("number", .integer).notNull()
                table.column("stage", .text).notNull()
                table.column("started", .integer).notNull()
                table.column("finished", .integer)
                table.primaryKey(["application", "number", "stage"])
            }
            try database.create(table: "event") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("time", .integer).notNull()
                table.column("text", .text).notNull()
            }
        }
        return migrator
    }

    private func write(_ what: @autoclosure () -> String, _ body: (Database) throws -> Void) throws {
        CrashPoint.reach("journal, \(what())")
        do {
            try database.write(body)
        } catch let error as DatabaseError where Self.full.contains(error.resultCode) && reserve.release() {
            // Nothing of it was written. Whoever filled the disk may be faster than this: then the error stays.
            try database.write(body)
        }
        reserve.take()
    }

    /// What SQLite says when there is no space: for the file itself, and for what it needs beside it.
    private static let full: [ResultCode] = [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN]

    /// Keeps a record in the place of an earlier one of the same application and version.
    public func save(_ record: VersionRecord) throws { try save([record]) }

    /// Keeps records, all of them or none.
    public func save(_ records: [VersionRecord]) throws {
        let rows = try records.map { ($0, try JSONEncoder().encode($0)) }
        let what = records.map { "version \($0.version) is \($0.pipeline.state)" }.joined(separator: ", ")
        try write(what) { database in
            for (record, bytes) in rows {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO version (application, number, record) VALUES (?, ?, ?)",
                    arguments: [record.application.rawValue, record.version.number, bytes])
            }
        }
    }

    /// All records, by application and version.
    public func records() throws -> [VersionRecord] {
        try database.read { database in
            try Data.fetchAll(database, sql: "SELECT record FROM version ORDER BY application, number")
                .map { try JSONDecoder().decode(VersionRecord.self, from: $0) }
        }
    }

    /// A stage of an upgrade begins, or begins again. Times are milliseconds since 1970.
    public func stageBegan(
        _ stage: UpgradeStage, of application: ApplicationID, _ version: Version, at time: Int64
    ) throws {
        try write("\(stage.title) begins") { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO stage (application, number, stage, started) VALUES (?, ?, ?, ?)",
                arguments: [application.rawValue, version.number, stage.rawValue, time])
        }
    }

    /// A stage of an upgrade is over.
    public func stageEnded(
        _ stage: UpgradeStage, of application: ApplicationID, _ version: Version, at time: Int64
    ) throws {
        try write("\(stage.title) ends") { database in
            try database.execute(
                sql: "UPDATE stage SET finished = ? WHERE application = ? AND number = ? AND stage = ?",
                arguments: [time, application.rawValue, version.number, stage.rawValue])
        }
    }

    /// The stages of an upgrade that have begun, in their order; `finished` is `nil` for one that is under way.
    public func stages(
        of application: ApplicationID, _ version: Version
    ) throws -> [(stage: UpgradeStage, started: Int64, finished: Int64?)] {
        let rows = try database.read { database in
            try Row.fetchAll(
                database, sql: "SELECT stage, started, finished FROM stage WHERE application = ? AND number = ?",
                arguments: [application.rawValue, version.number])
        }
        let order = UpgradeStage.allCases
        return rows.compactMap { row in
            let name: String = row["stage"]
            return UpgradeStage(rawValue: name).map { ($0, row["started"], row["finished"]) }
        }
        .sorted { (order.firstIndex(of: $0.stage) ?? 0) < (order.firstIndex(of: $1.stage) ?? 0) }
    }

    /// The most events that are kept; older ones make room.
    static let eventsMax = 10_000

    /// The last events, the oldest of them first.
    ///
    /// - Parameters:
    ///   - name: a word that is to be in them; `nil`: any.
    ///   - most: how many at most.
    public func events(naming name: String? = nil, most: Int) throws -> [(time: Int64, text: String)] {
        let rows = try database.read { database in
            try Row.fetchAll(
                database, sql: "SELECT time, text FROM event WHERE ? IS NULL OR instr(text, ?) ORDER BY id DESC",
                arguments: [name, name])
        }
        return rows.lazy.map { ($0["time"], $0["text"]) }.filter { _, text in
            guard let name else { return true }
            return (text as String).split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }.contains {
                $0 == name
            }
        }.prefix(most).reversed()
    }

    /// Something that an operator may want to know later.
    public func note(_ text: String, at time: Int64) throws {
        try write("note: \(text)") { database in
            try database.execute(sql: "INSERT INTO event (time, text) VALUES (?, ?)", arguments: [time, text])
            try database.execute(
                sql: "DELETE FROM event WHERE id <= ?", arguments: [database.lastInsertedRowID - Int64(Self.eventsMax)])
        }
    }
}

/// One version of one application on this node, as the journal keeps it.
public struct VersionRecord: Codable, Sendable, Equatable {
    /// The application.
    public var application: ApplicationID
    /// How far its upgrade is.
    public var pipeline: UpgradePipeline
    /// The node that advertised it, and from which it is fetched; `nil`: it was published here.
    public var origin: Endpoint?
    /// The number of its environment.
    public var slot: Int
    /// Whether a newer version took over and this one was stopped.
    public var isRetired = false
    /// Whether clients' reads go to the newer version alone.
    public var isDraining = false
    /// Whether an operator wants it retired, whoever still needs it.
    public var isDismissed: Bool?
    /// Why it retired before its time, if it did.
    public var departure: String?
    /// The kind of its environment, once it has one.
    public var isolation: IsolationKind?

    /// Whether it stands still, so that a newer one takes its place.
    public var isStopped: Bool?
    /// What was copied to it before it served.
    public var migration: MigrationReport?
    /// What was copied to it once more, before the version that it takes the place of goes.
    public var lastMigration: MigrationReport?
    /// The snapshot of the version whose place it took.
    public var checkpoint: String?
    /// What is kept of it for a way back.
    public var replay: ReplayRecord?
    /// What it is being put back to.
    public var restore: RestoreRecord?

    /// The version.
    public var version: Version { pipeline.version }

    /// A record of an upgrade that begins.
    public init(application: ApplicationID, pipeline: UpgradePipeline, origin: Endpoint?, slot: Int) {
        self.application = application
        self.pipeline = pipeline
        self.origin = origin
        self.slot = slot
    }
}
