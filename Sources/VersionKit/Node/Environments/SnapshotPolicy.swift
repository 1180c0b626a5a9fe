import VersionKitIsolation
public import VersionKitModel

/// When a node takes snapshots by itself, and for how long it keeps them (R3, R17).
public struct SnapshotPolicy: Sendable, Hashable, Codable {
    /// Whether the version that serves is kept when the upgrade to another one begins.
    public var beforeUpgrade: Bool?
    /// Whether a version is kept when it retires.
    public var beforeRetirement: Bool?
    /// What is kept; by default its files.
    public var level: SnapshotLevel?
    /// How many of an application are kept, those that an operator asked for counted by themselves; by default 3.
    public var count: Int?
    /// For how many days; by default 7.
    public var days: Int?

    /// A policy; what is `nil` is the default.
    public init(
        beforeUpgrade: Bool? = nil, beforeRetirement: Bool? = nil, level: SnapshotLevel? = nil, count: Int? = nil,
        days: Int? = nil
    ) {
        self.beforeUpgrade = beforeUpgrade
        self.beforeRetirement = beforeRetirement
        self.level = level
        self.count = count
        self.days = days
    }

    var retention: SnapshotRetention {
        var retention = SnapshotRetention()
        if let count { retention.countMax = max(0, count) }
        if let days { retention.ageMax = .seconds(Int64(max(0, days)) * 24 * 3600) }
        return retention
    }
}
