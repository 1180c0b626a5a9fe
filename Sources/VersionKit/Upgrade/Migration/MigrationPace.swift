public import VersionKitModel

/// Says when the next records may be copied, so that a rate is kept on the average of any second. Time is an argument.
public struct MigrationPace: Sendable, Hashable {
    /// What may be copied at once after a pause: what the rate gives in this time.
    public static let burst = Duration.milliseconds(100)

    private let rate: MigrationRate
    /// When everything that was taken is paid for.
    private var paidAt = Duration.zero

    /// A pace of this rate.
    public init(_ rate: MigrationRate) { self.rate = rate }

    /// So much is about to be copied at `now`, on any clock that only goes forward.
    ///
    /// - Returns: how long to wait before.
    public mutating func take(records: Int = 0, bytes: Int = 0, at now: Duration) -> Duration {
        let cost = max(Self.time(records, rate.recordsPerSecond), Self.time(bytes, rate.bytesPerSecond))
        paidAt = max(paidAt, now - Self.burst)
        defer { paidAt += cost }
        return max(.zero, paidAt - now)
    }

    private static func time(_ count: Int, _ perSecond: Int?) -> Duration {
        guard let perSecond, count > 0 else { return .zero }
        return .seconds(count) / perSecond
    }
}
