/// One run of a migrator: what it is told, and whom it tells.
public struct MigrationRun: Sendable {
    /// Where the old version's clients reach it.
    public let source: MigrationEnd
    /// Where the new version's clients reach it.
    public let destination: MigrationEnd
    /// The last token of a run before this one that came to no end; `nil`: there is none, and everything is looked at.
    public let token: String?

    private let say: @Sendable (String) -> Void
    private let wait: @Sendable (_ records: Int, _ bytes: Int) async throws -> Void

    /// A run.
    ///
    /// - Parameters:
    ///   - say: takes a line for the node.
    ///   - wait: returns when so much may be copied.
    public init(
        from source: MigrationEnd, to destination: MigrationEnd, token: String? = nil,
        say: @escaping @Sendable (String) -> Void,
        wait: @escaping @Sendable (_ records: Int, _ bytes: Int) async throws -> Void
    ) {
        self.source = source
        self.destination = destination
        self.token = token
        self.say = say
        self.wait = wait
    }

    /// Tells how far this run is. Does not block.
    public func progress(_ progress: MigrationProgress) { say("progress \(progress.examined) \(progress.copied)") }

    /// Everything up to here is copied: a run after this one goes on behind it.
    ///
    /// - Parameter token: whatever the migrator wants, in one line of ``MigrationReport/tokenBytesMax`` bytes at most.
    public func reached(_ token: String) { say("token \(token)") }

    /// So many records of the old version were found in the new one when all was copied.
    public func verified(_ records: UInt64) { say("verified \(records)") }

    /// Copies until nothing is missing, and tells the node so: for a migrator that can always copy all once more.
    ///
    /// What clients write at the moment may be in one version only, so a pass that found something missing says nothing yet.
    ///
    /// - Parameters:
    ///   - passesMax: how often is copied before the new version counts as one that does not keep what it gets.
    ///   - pass: looks at everything, and copies what is missing.
    /// - Throws: ``MigrationError`` if the last pass still found something missing, or what `pass` throws.
    public func copyUntilComplete(
        passesMax: Int = 6, _ pass: () async throws -> MigrationProgress
    ) async throws {
        progress(try await pass())
        for _ in 1..<passesMax {
            let seen = try await pass()
            if seen.copied == 0 { return verified(seen.examined) }
        }
        throw MigrationError(
            "after \(passesMax) passes records are still missing: the new version does not keep what it gets")
    }

    /// Copies while others write: for an application whose nodes keep things for each other, so that what clients of hosts
    /// without the new version write comes to this one's old version alone. A pass may find some of that missing each time; the
    /// last run finds what is left.
    ///
    /// - Parameters:
    ///   - passesMax: how often is copied, if no pass before finds nothing missing.
    ///   - namesMax: how many names of what was copied are remembered.
    ///   - pass: looks at everything, and copies what is missing; the names of what it copied that never changes.
    /// - Throws: ``MigrationError`` if something is missing that was copied before, or what `pass` throws.
    public func copyWhileOthersWrite<Name: Hashable>(
        passesMax: Int = 4, namesMax: Int = 65_536,
        _ pass: () async throws -> (progress: MigrationProgress, copied: [Name])
    ) async throws {
        var known: Set<Name> = []
        for number in 1...passesMax {
            let (seen, copied) = try await pass()
            if number == 1 { progress(seen) }
            if let lost = copied.first(where: known.contains) {
                throw MigrationError(
                    "\(lost) was copied and is missing again: the new version does not keep what it gets")
            }
            known.formUnion(copied.prefix(namesMax - known.count))
            if seen.copied == 0 { return verified(seen.examined) }
        }
    }

    /// Waits until so much may be copied at the rate that release and node allow. To be called before.
    ///
    /// - Throws: `CancellationError`.
    public func pause(records: Int = 1, bytes: Int = 0) async throws { try await wait(records, bytes) }
}

extension Migrator {
    public func run(_ run: MigrationRun) async throws {
        try await migrate(from: run.source, to: run.destination) { run.progress($0) }
    }
}
