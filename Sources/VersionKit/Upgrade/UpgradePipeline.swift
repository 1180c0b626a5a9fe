public import VersionKitModel

/// The upgrade of one application on one node, as a state machine: it says what to do next and effects report back.
///
/// Every state is written to the journal before its effect begins, so a node that is killed at any point finds the
/// state it was in and ``recover()`` says how to go on: an upgrade that had not begun to serve starts over from its
/// verified release (nothing but copies is lost by that), one that had goes on.
///
/// - Note: R15-R18; DESIGN 8.
public struct UpgradePipeline: Sendable, Hashable, Codable {
    /// The version that is being installed.
    public let version: Version

    /// The version that it takes over from; `nil` for an application's first one.
    public let predecessor: Version?

    /// How the version takes over, as its release says; known once that is here.
    public private(set) var method: ReleaseManifest.Method?

    /// Where the upgrade stands.
    public private(set) var state: State

    /// Where an upgrade stands.
    public enum State: Sendable, Hashable, Codable {
        /// This stage is under way, or about to be.
        case working(UpgradeStage)
        /// The version serves, and no older one is left.
        case complete
        /// A stage failed and what it had made is to be removed, or an operator took the version away.
        case undoing(UpgradeStage, reason: String)
        /// It was removed; the older version never noticed.
        case undone(UpgradeStage, reason: String)
    }

    /// What the shell does next.
    public enum Action: Sendable, Hashable {
        /// Do the work of this stage, then report.
        case perform(UpgradeStage)
        /// Stop and remove everything of the version, then report.
        case remove(reason: String)
        /// Nothing is left to do.
        case finished
    }

    /// An upgrade that is about to begin.
    public init(to version: Version, from predecessor: Version?) {
        self.version = version
        self.predecessor = predecessor
        state = .working(.download)
    }

    /// The release is here, and says how the version takes over.
    public mutating func use(_ method: ReleaseManifest.Method?) { self.method = method }

    /// Whether the older version is stopped before this one starts, so that never two of them run (R20).
    public var isInPlace: Bool { predecessor != nil && (method ?? .sideBySide) != .sideBySide }

    /// What is to be done in the present state.
    public var action: Action {
        switch state {
        case .working(let stage): .perform(stage)
        case .undoing(_, let reason): .remove(reason: reason)
        case .complete, .undone: .finished
        }
    }

    /// Whether clients and peers can reach the version: only then may it hold what the older one does not.
    public var isServing: Bool {
        switch state {
        case .working(let stage): stage == .serve || stage == .retire
        case .complete: true
        case .undoing, .undone: false
        }
    }

    /// The stage's work is done.
    ///
    /// - Precondition: this stage was under way; anything else is a bug of the shell.
    public mutating func succeeded(_ stage: UpgradeStage) -> Action {
        guard case .working(let current) = state, current == stage else {
            preconditionFailure("\(stage.title) succeeded while \(state)")
        }
        state = next(after: stage).map(State.working) ?? .complete
        return action
    }

    /// An application's first version has nothing to take over and nobody to retire; one that takes another's place has
    /// its files already.
    private func next(after stage: UpgradeStage) -> UpgradeStage? {
        if isInPlace, stage == .running { return .serve }
        guard predecessor == nil else { return stage.next }
        switch stage {
        case .running: return .serve
        case .serve: return nil
        default: return stage.next
        }
    }

    /// Something about the version failed: its stage, or its process at any time before it was alone.
    ///
    /// Once the older version is gone, or knows nothing of what clients did since it was stopped, there is nobody to give
    /// the work back to: then the answer is `nil`, and the version is to be started again instead.
    public mutating func failed(_ reason: String) -> Action? {
        guard case .working(let stage) = state, stage != .retire, !(isInPlace && stage == .serve) else { return nil }
        state = .undoing(stage, reason: reason)
        return action
    }

    /// An operator wants the older version back. Possible as long as it runs.
    ///
    /// - Throws: ``RollbackError`` with the reason why not.
    public mutating func rollBack(reason: String) throws(RollbackError) -> Action {
        switch state {
        case .working(.serve) where isInPlace: throw RollbackError(version: version, isAlone: true)
        case .working(.retire), .complete: throw RollbackError(version: version, isAlone: true)
        case .undoing, .undone: throw RollbackError(version: version, isAlone: false)
        case .working(let stage):
            guard predecessor != nil else { throw RollbackError(version: version, isAlone: true) }
            state = .undoing(stage, reason: reason)
            return action
        }
    }

    /// An operator goes back to a snapshot of an older version, which serves already: this one goes, whatever it did.
    public mutating func withdraw(reason: String) {
        switch state {
        case .working(let stage): state = .undoing(stage, reason: reason)
        case .complete: state = .undoing(.retire, reason: reason)
        case .undoing, .undone: break
        }
    }

    /// The version, which had retired or was taken away, serves alone again, out of a snapshot.
    public mutating func resumeAlone() { state = .complete }

    /// Everything of the version was removed.
    public mutating func removed() -> Action {
        guard case .undoing(let stage, let reason) = state else { preconditionFailure("removed while \(state)") }
        state = .undone(stage, reason: reason)
        return action
    }

    /// The node came back after it was killed: the processes of the version are gone, its files are not.
    ///
    /// Before it serves, a version holds nothing but copies: it starts over from the release, which is verified again.
    public mutating func recover() -> Action {
        if case .working(let stage) = state, !isServing, stage != .download {
            state = .working(.download)
        }
        return action
    }
}

/// Why a version cannot be rolled back.
public struct RollbackError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The version that was to go.
    public let version: Version
    /// Whether it is the only one left, rather than gone already.
    public let isAlone: Bool

    public var description: String {
        isAlone
            ? "version \(version) is the only one that runs: the older one has retired, or never was"
            : "version \(version) is already taken away"
    }
}
