import ExampleFleet

/// How long a measurement waits for something, and how often it looks.
enum Patience {
    static let limit = Duration.seconds(120)
    static let interval = Duration.milliseconds(100)

    /// Waits until something is so.
    ///
    /// - Parameter isReached: what is missing, or nil when nothing is.
    /// - Throws: `FleetError` with what was missing last.
    static func wait(for what: String, _ isReached: () async throws -> String?) async throws {
        let deadline = ContinuousClock.now + limit
        while let missing = try await isReached() {
            guard ContinuousClock.now < deadline else {
                throw FleetError("no \(what) within \(limit.inSeconds.tenths) s: \(missing)")
            }
            try await Task.sleep(for: interval)
        }
    }
}
