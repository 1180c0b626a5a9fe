import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitReleases
import VersionKitUpgrade

/// What a node knows of one application.
struct ManagedApplication {
    let id: ApplicationID
    let trust: TrustPolicy
    let settings: NodeConfiguration.Application
    /// Every version that was ever here, as the journal has it.
    var records: [Version: VersionRecord] = [:]
    /// The versions whose environments exist.
    var running: [Version: RunningVersion] = [:]
    /// Where clients reach each version that has been healthy since versiond began.
    var clientEndpoints: [Version: Endpoint] = [:]
    /// Ports that were registered from inside environments.
    var ports: Set<UInt16> = []
    var proxy: ProxySupervisor?
    var retirement: Retirement?
    var migrations: [Version: MigrationProgress] = [:]
    /// Grows with every list of versions that a proxy is given.
    var generation: UInt64 = 0
    /// The work of the stage that is under way.
    var stageTask: Task<Void, any Error>?
    var isUpgrading = false
    /// How often a version was started again while its state was copied.
    var restarts: [Version: Int] = [:]
    /// When a version that could not be downloaded may be tried again.
    var retryAfter: [Version: ContinuousClock.Instant] = [:]

    /// The newest version that serves.
    var newestServing: Version? {
        records.values.filter { $0.pipeline.isServing && !$0.isRetired }.map(\.version).max()
    }

    /// The newest version that was not taken away, serving or on its way.
    var newest: Version? {
        records.values.filter { !$0.pipeline.isUndone && !$0.isRetired }.map(\.version).max()
    }

    /// The lowest number that no environment has.
    var usedSlots: Set<Int> { Set(records.values.filter { !$0.isRetired && !$0.pipeline.isUndone }.map(\.slot)) }
}

/// A version whose environment exists.
struct RunningVersion {
    let environment: any IsolationEnvironment
    let manifest: ReleaseManifest
    let registrar: Task<Void, any Error>
}

extension VersionRecord {
    /// Whether a client's write counts only if this version did it too: from the moment in which state is copied to it
    /// until it retires or is taken away.
    var takesWrites: Bool {
        guard !isRetired else { return false }
        return pipeline.isServing || pipeline.state == .working(.migrate)
    }
}

extension VersionRecord {
    /// What the version does for clients while it takes writes.
    var role: VersionList.Role {
        if isDraining { return .writesOnly }
        return pipeline.state == .working(.migrate) ? .filling : .full
    }

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
