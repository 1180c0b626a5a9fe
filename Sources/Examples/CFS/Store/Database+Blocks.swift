import CFSModel
import CFSRing
import Foundation
import GRDB

/// The table of blocks.
extension Database {
    private static func arguments(_ name: BlockDatabase.Name) -> StatementArguments {
        [name.node, name.key.type.number, Data(name.key.id.bytes)]
    }

    func apply(_ block: KeptBlock?, _ name: BlockDatabase.Name) throws {
        guard let block else {
            return try cachedStatement(sql: "DELETE FROM block WHERE node = ? AND type = ? AND id = ?")
                .execute(arguments: Self.arguments(name))
        }
        try cachedStatement(
            sql: """
                INSERT INTO block (node, type, id, data, expiration) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (node, type, id) DO UPDATE SET data = excluded.data, expiration = excluded.expiration
                """
        ).execute(arguments: Self.arguments(name) + [Data(block.data), block.expiration])
    }

    func block(_ name: BlockDatabase.Name) throws -> KeptBlock? {
        let statement = try cachedStatement(
            sql: "SELECT data, expiration FROM block WHERE node = ? AND type = ? AND id = ?")
        guard let row = try Row.fetchOne(statement, arguments: Self.arguments(name)) else { return nil }
        return KeptBlock(Array(row["data"] as Data), until: row["expiration"])
    }

    func size(of name: BlockDatabase.Name) throws -> Int? {
        try Int.fetchOne(
            cachedStatement(sql: "SELECT length(data) FROM block WHERE node = ? AND type = ? AND id = ?"),
            arguments: Self.arguments(name))
    }

    func keys(node: Int, type: BlockType, after id: ChordID?, limit: Int) throws -> [ChordID] {
        // No id has fewer than no bytes.
        let statement = try cachedStatement(
            sql: "SELECT id FROM block WHERE node = ? AND type = ? AND id > ? ORDER BY id LIMIT ?")
        return try Data.fetchAll(statement, arguments: [node, type.number, Data(id?.bytes ?? []), limit])
            .compactMap { ChordID(bigEndian: $0) }
    }

    func expired(node: Int, type: BlockType, at time: Int64, limit: Int) throws -> [ChordID] {
        let statement = try cachedStatement(
            sql: """
                SELECT id FROM block WHERE node = ? AND type = ? AND expiration > 0 AND expiration <= ?
                ORDER BY expiration LIMIT ?
                """)
        return try Data.fetchAll(statement, arguments: [node, type.number, time, limit])
            .compactMap { ChordID(bigEndian: $0) }
    }
}

extension StoreCounts {
    /// Counts what is in the table.
    init(_ database: Database) throws {
        let rows = try Row.fetchAll(
            database, sql: "SELECT type, count(*) AS count, sum(length(data)) AS bytes FROM block GROUP BY type")
        for row in rows {
            guard let type = BlockType(number: row["type"]) else { continue }
            add(type, count: row["count"], bytes: row["bytes"])
        }
    }
}

extension BlockType {
    /// The number that it has in the table.
    var number: Int {
        switch self {
        case .contentHash: 0
        case .keyHash: 1
        case .noAuth: 2
        }
    }

    init?(number: Int) {
        guard let type = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = type
    }
}
