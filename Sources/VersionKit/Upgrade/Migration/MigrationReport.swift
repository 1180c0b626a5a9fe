/// What a migration did, as the journal keeps it.
public struct MigrationReport: Sendable, Hashable, Codable {
    /// The longest token of a migrator's, in bytes.
    public static let tokenBytesMax = 1024
    /// How often a migrator may end without having got any further, before the upgrade is undone.
    public static let attemptsMax = 3

    /// What was looked at and copied, in all attempts.
    public var progress = MigrationProgress(examined: 0, copied: 0)
    /// Where the migrator goes on if it is started again; `nil`: at the beginning.
    public var token: String?
    /// Records that were found the same in both versions at the end; `nil`: the migrator did not look.
    public var verified: UInt64?
    /// How often a migrator was started.
    public var attempts = 0
    /// When the first one was, in milliseconds since 1970.
    public var startedAt: Int64
    /// How long it took until it was done; `nil`: it is not.
    public var milliseconds: Int64?
    /// Why what was done before the last attempt, or in it, does not count.
    public var failure: String?
    /// Attempts since the token changed last.
    private var fruitless = 0
    /// What attempts before this one did.
    private var before = MigrationProgress(examined: 0, copied: 0)

    /// A migration that begins.
    public init(startedAt: Int64) { self.startedAt = startedAt }

    /// A migrator is started.
    public mutating func begin() {
        attempts += 1
        fruitless += 1
        // Without a token it looks at everything again.
        before = token == nil ? MigrationProgress(examined: 0, copied: 0) : progress
    }

    /// A migrator printed a line. What is neither of what it may say is for the log.
    ///
    /// - Returns: whether it said where it would go on: that has to be in the journal before anything else is.
    public mutating func heard(_ line: String) -> Bool {
        if let now = MigrationProgress(line: line) {
            // Sums of what programs say: they may be nonsense.
            progress = MigrationProgress(
                examined: before.examined &+ now.examined, copied: before.copied &+ now.copied)
        } else if line.hasPrefix("verified "), let count = UInt64(line.dropFirst(9)) {
            verified = count
        } else if line.hasPrefix("token ") {
            let token = String(line.dropFirst(6))
            guard !token.isEmpty, token.utf8.count <= Self.tokenBytesMax, token != self.token else { return false }
            self.token = token
            fruitless = 1
            return true
        }
        return false
    }

    /// What was done does not count, and the next attempt begins anew.
    public mutating func startOver(because reason: String) {
        (token, failure, fruitless) = (nil, reason, 0)
    }

    /// All is copied.
    public mutating func succeed(at time: Int64) {
        failure = nil
        milliseconds = time - startedAt
    }

    /// An operator does without what could not be copied; that it failed before, and why, is kept.
    public mutating func giveUp(at time: Int64) { milliseconds = time - startedAt }

    /// Whether it ended without success, as an operator wanted.
    public var isGivenUp: Bool { milliseconds != nil && failure != nil }

    /// A migrator ended before it was done. Whether another one is worth it.
    public var mayTryAgain: Bool { fruitless < Self.attemptsMax }
}

extension MigrationProgress {
    /// The progress that a line of a migrator's standard output tells of, or `nil` if it says something else.
    public init?(line: some StringProtocol) {
        let fields = line.split(separator: " ")
        guard fields.count == 3, fields[0] == "progress", let examined = UInt64(fields[1]),
            let copied = UInt64(fields[2])
        else { return nil }
        self.init(examined: examined, copied: copied)
    }
}
