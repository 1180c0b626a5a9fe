/// When a proxy tells `versiond` its counters: often while they change, rarely while nobody asks it anything, as each report
/// wakes two processes up on every host.
package struct ReportPace: Sendable {
    /// Between two reports while something happens.
    package static let busyInterval = Duration.milliseconds(200)
    /// Between two reports that say the same: a `versiond` that has just taken the proxy over knows none.
    package static let idleInterval = Duration.seconds(1)

    private var told: ProxyCounters?

    /// Nothing was told.
    package init() {}

    /// How long to wait with the report after this one.
    package mutating func interval(after counters: ProxyCounters) -> Duration {
        defer { told = counters }
        return counters == told ? Self.idleInterval : Self.busyInterval
    }
}
