/// How quickly state is copied from one version to another, so that clients do not suffer from it.
public struct MigrationRate: Codable, Sendable, Hashable {
    /// Records, or keys, a second; `nil`: as many as there is time for.
    public var recordsPerSecond: Int?
    /// Bytes a second; `nil`: as many as there is time for. The library's own copying of keys does not count them.
    public var bytesPerSecond: Int?

    /// A rate.
    public init(recordsPerSecond: Int? = nil, bytesPerSecond: Int? = nil) {
        self.recordsPerSecond = recordsPerSecond
        self.bytesPerSecond = bytesPerSecond
    }

    /// The variables of a migrator's or a proxy's environment with it.
    package static let recordsVariable = "VERSIONKIT_MIGRATION_RECORDS_PER_SECOND"
    package static let bytesVariable = "VERSIONKIT_MIGRATION_BYTES_PER_SECOND"

    /// The rate as variables, `NAME=value`.
    package var variables: [String] {
        [(Self.recordsVariable, recordsPerSecond), (Self.bytesVariable, bytesPerSecond)].compactMap { name, value in
            value.map { "\(name)=\($0)" }
        }
    }

    /// The rate that variables have; what is no number greater than 0 is none.
    package init(variables: (String) -> String?) {
        func number(_ name: String) -> Int? { variables(name).flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } }
        self.init(recordsPerSecond: number(Self.recordsVariable), bytesPerSecond: number(Self.bytesVariable))
    }
}

extension ReleaseManifest {
    func validateMigration() throws(ManifestError) {
        for (field, rate) in [
            ("migration.recordsPerSecond", migration?.recordsPerSecond),
            ("migration.bytesPerSecond", migration?.bytesPerSecond),
        ] {
            guard let rate else { continue }
            try Self.check(rate, field: field, unit: "a second", in: 1...Limits.migrationRateMax)
        }
    }
}
