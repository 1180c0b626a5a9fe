import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitReleases
import VersionKitRouter
import VersionKitUpgrade

/// What a node knows of one application.
struct ManagedApplication {
    let id: ApplicationID
    let trustKeeper: TrustKeeper
    let settings: NodeConfiguration.Application
    /// Every version that was ever here, as the journal has it.
    var records: [Version: VersionRecord] = [:]
    /// The versions whose environments exist.
    var running: [Version: RunningVersion] = [:]
    /// Where clients reach each version that has been healthy since versiond began.
    var clientEndpoints: [Version: Endpoint] = [:]
    var proxy: ProxySupervisor?
    /// What is known of releases that begin on some nodes first.
    var verdicts = SpreadVerdicts()
    var migrations: [Version: MigrationProgress] = [:]
    /// The migrator that runs once more before an old version goes.
    var lastMigration: LastMigrationRun?
    /// Grows with every list of versions that a proxy is given.
    var generation: UInt64 = 0
    /// The work of the stage that is under way.
    var stageTask: Task<Void, any Error>?
    var isUpgrading = false
    /// Whether an upgrade has begun, and does not serve yet.
    var isAdmitted = false
    /// Why one that is about to begin has to wait.
    var obstacle: String?
    /// Whether the stage that is under way does no more than wait: for a promotion, a channel, the old version's last message.
    var isWaiting = false
    /// The versions that are being started again.
    var starting: Set<Version> = []
    /// Of these, those whose process has ended meanwhile, and why: whoever starts them tries again.
    var endedWhileStarting: [Version: String] = [:]
    /// Who waits for a version to answer.
    var healthChecks: [Version: Task<Void, any Error>] = [:]
    /// Who looks whether a version is still well.
    var healthWatches: [Version: Task<Void, any Error>] = [:]
    /// Of these, those that cannot be put back to a snapshot, and why.
    var putBackTrouble: [Version: String] = [:]
    /// The versions that stand still for a snapshot.
    var paused: Set<Version> = []
    /// The version that is brought what was logged for it, and what it is listed as.
    var replaying: (version: Version, role: VersionList.Role)?
    /// The version that has just given its place to one out of a snapshot, and owes some answers.
    var leaving: Version?
    /// How many environments were attached since versiond began: what tells one from the next of its version.
    var attached = 0
    /// How often a version was started again while its state was copied.
    var restarts: [Version: Int] = [:]
    /// When a version that could not be downloaded may be tried again.
    var retryAfter: [Version: ContinuousClock.Instant] = [:]
    /// How often in a row a version that a peer vouched for could not be downloaded, and when that is tried again.
    var downloadRetries = 0
    var downloadRetry: Task<Void, Never>?
    /// Whether a router is being asked for newer documents, when one was last, and who is to be asked next.
    var isLearning = false
    var lastAsked: Duration?
    var learnNext: (address: IPAddress, tries: Int)?
    /// Whether a withdrawn version is being taken away, and why that cannot be done.
    var isObeying = false
    var withdrawalTrouble: String?

    /// Whose releases are accepted now.
    var trust: TrustPolicy { trustKeeper.policy }

    /// The versions that serve, also while one of them is started again.
    var serving: Set<Version> { Set(records.values.filter { $0.pipeline.isServing && !$0.isRetired }.map(\.version)) }

    /// What a version may use at most, by what its release asks for and by what this node gives the application.
    func limits(for manifest: ReleaseManifest) -> ResourceLimits {
        (settings.limits ?? ResourceLimits()).stricter(manifest.limits)
    }

    /// The newest version that serves.
    var newestServing: Version? { serving.max() }

    /// The version that is on its way, or still has an older one beside it.
    var underWay: Version? { records.values.first { !$0.isRetired && $0.pipeline.action != .finished }?.version }

    /// The version that this node goes over to, or has gone over to, and the one before it; `nil`: there was never more than
    /// one.
    var succession: (version: Version, before: Version)? {
        let present = records.values.filter { !$0.isGone }
        let pairs = present.compactMap { record in record.pipeline.predecessor.map { (record.version, $0) } }
        let back = pairs.first { version, before in before > version && present.contains { $0.version == before } }
        return back ?? pairs.max { $0.0 < $1.0 }
    }

    /// The newest version that was not taken away, serving or on its way.
    var newest: Version? {
        records.values.filter { !$0.pipeline.isUndone && !$0.isRetired }.map(\.version).max()
    }

    /// The lowest number that no environment has.
    var usedSlots: Set<Int> {
        Set(records.values.filter { !$0.isGone || running[$0.version] != nil }.map(\.slot))
    }
}

/// A version whose environment exists.
struct RunningVersion {
    let number: Int
    let environment: any IsolationEnvironment
    let manifest: ReleaseManifest
    let socket: ControlServer
    let registrar: Task<Void, any Error>
}

extension VersionRecord {
    /// Whether a client's write counts only if this version did it too: from the moment in which state is copied to it
    /// until it retires or is taken away.
    var takesWrites: Bool {
        guard !isRetired, !isLogged else { return false }
        return pipeline.isServing || pipeline.state == .working(.migrate)
    }
}

extension VersionRecord {
    /// What the version does for clients while it takes writes.
    var role: VersionList.Role {
        if isDraining { return .writesOnly }
        return pipeline.state == .working(.migrate) ? .filling : .full
    }

    /// Whether it takes over from a newer one, which was found bad.
    var isGoingBack: Bool { pipeline.predecessor.map { $0 > version } ?? false }

    /// Whether it is not to run any more.
    var isGone: Bool { isRetired || pipeline.isUndone }
}

extension UpgradePipeline {
    /// Whether the version was taken away, or is about to be.
    var isUndone: Bool {
        switch state {
        case .undone, .undoing: true
        case .working, .complete: false
        }
    }
}
