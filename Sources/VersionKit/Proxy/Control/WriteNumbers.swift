public import VersionKitModel

/// What operators see of writes to several versions.
public struct WriteNumbers: Sendable, Hashable, Codable {
    /// For each version that is behind, the writes that it still misses. While it is compared with others, at least 1.
    public var lag: [Version: UInt64] = [:]
    /// Of these, those that wait in its queue, and the memory that they take in bytes.
    public var queued: [Version: UInt64] = [:]
    public var queuedBytes: [Version: UInt64] = [:]
    /// Keys that were compared since the last comparison began, and those that had to be copied.
    public var examined: [Version: UInt64] = [:]
    public var copied: [Version: UInt64] = [:]
    /// Writes that a version did not do and will not.
    public var diverged: [Version: UInt64] = [:]
    /// How often something of what a version missed could not be written to the disk.
    public var unkept: [Version: UInt64] = [:]
    /// Why what a version misses cannot be written to the disk at the moment.
    public var disk: [Version: String] = [:]
    /// Why a version cannot be brought up to date, or does not do what others do.
    public var trouble: [Version: String] = [:]
    /// For each version that does not run and is logged for, the writes in its log, and their bytes.
    public var logged: [Version: UInt64] = [:]
    public var loggedBytes: [Version: UInt64] = [:]
    /// Why what such a version missed cannot be replayed to it any more.
    public var unreplayable: [Version: String] = [:]
    /// Versions that have all that was written, as no write is under way any more until one of them takes over; each as 1.
    public var settled: [Version: UInt64] = [:]

    /// Nothing yet.
    public init() {}

    /// Forgets versions that are not listed any more.
    public mutating func keep(_ versions: VersionList) {
        lag = lag.filter { versions.contains($0.key) }
        queued = queued.filter { versions.contains($0.key) }
        queuedBytes = queuedBytes.filter { versions.contains($0.key) }
        examined = examined.filter { versions.contains($0.key) }
        unkept = unkept.filter { versions.contains($0.key) }
        copied = copied.filter { versions.contains($0.key) }
        disk = disk.filter { versions.contains($0.key) }
        trouble = trouble.filter { versions.contains($0.key) }
        logged = logged.filter { versions.contains($0.key) }
        loggedBytes = loggedBytes.filter { versions.contains($0.key) }
        settled = settled.filter { versions.contains($0.key) }
        unreplayable = unreplayable.filter { versions.contains($0.key) }
    }
}
