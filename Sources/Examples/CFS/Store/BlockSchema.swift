import GRDB

/// The tables, and how those of earlier programs become them.
enum BlockSchema {
    static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: blocks") { database in
            try database.create(table: "block") { table in
                table.column("node", .integer).notNull()
                table.column("type", .integer).notNull()
                table.column("id", .blob).notNull()
                table.column("data", .blob).notNull()
            }
            try database.create(
                index: "name", on: "block", columns: ["node", "type", "id"], options: .unique)
        }
        migrator.registerMigration("2: expirations, generations") { database in
            try database.alter(table: "block") { table in
                table.add(column: "expiration", .integer).notNull().defaults(to: 0)
            }
            // Most blocks have none: the index is small.
            try database.execute(
                sql: "CREATE INDEX expiration ON block (node, type, expiration) WHERE expiration > 0")
            try database.create(table: "owner") { table in
                table.column("generation", .integer).notNull()
            }
            // There was only one when nobody wrote it down.
            try database.execute(sql: "INSERT INTO owner SELECT 1 WHERE EXISTS (SELECT * FROM block)")
        }
        return migrator
    }
}

extension Database {
    /// The generation whose blocks these are: of an empty store the one that asks first.
    func owner(atFirst generation: Int) throws -> Int {
        if let owner = try Int.fetchOne(self, sql: "SELECT generation FROM owner") { return owner }
        try execute(sql: "INSERT INTO owner VALUES (?)", arguments: [generation])
        return generation
    }
}
