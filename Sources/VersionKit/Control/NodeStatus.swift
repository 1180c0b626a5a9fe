public import VersionKitIsolation
public import VersionKitModel
public import VersionKitUpgrade

/// What a node knows of itself: the answer to `versionctl status --json`.
public struct NodeStatus: Codable, Sendable, Equatable {
    /// The node's name.
    public var node: NodeID
    /// Its addresses in the fleet.
    public var addresses: HostAddresses
    /// Its managed applications, by name.
    public var applications: [ApplicationStatus]
    /// What its router has done.
    public var router: RouterStatus
    /// Its last hot restart; `nil` if there was none.
    public var restart: RestartStatus?
    /// What it and its peers told each other; `nil` from a versiond that does not say.
    public var fleet: FleetStatus?
    /// Its part in the distribution of releases; `nil` if it has none.
    public var swarm: SwarmStatus?

    /// A status.
    public init(
        node: NodeID, addresses: HostAddresses, applications: [ApplicationStatus], router: RouterStatus,
        fleet: FleetStatus? = nil, restart: RestartStatus? = nil, swarm: SwarmStatus? = nil
    ) {
        self.swarm = swarm
        self.restart = restart
        self.node = node
        self.addresses = addresses
        self.applications = applications
        self.router = router
        self.fleet = fleet
    }
}

/// One application on one node.
public struct ApplicationStatus: Codable, Sendable, Equatable {
    /// The application.
    public var application: ApplicationID
    /// Its versions here, from the oldest to the newest; those that were taken away included.
    public var versions: [VersionStatus]
    /// What its proxies have done since versiond began; `nil` if it has none.
    public var proxy: ProxyStatus?
    /// The versions that each peer was seen with, by address; one that was seen at two addresses is here twice.
    public var peers: [String: [Version]]
    /// When each peer was heard last, by address, in milliseconds since 1970.
    public var peersHeard: [String: Int64]
    /// The ports that its versions have registered, by port and version.
    public var ports: [PortStatus]
    /// Which root and channel it goes by; `nil` if no root is pinned.
    public var trust: TrustStatus?

    /// A status.
    public init(
        application: ApplicationID, versions: [VersionStatus], proxy: ProxyStatus?, peers: [String: [Version]],
        peersHeard: [String: Int64] = [:], ports: [PortStatus] = [], trust: TrustStatus? = nil
    ) {
        self.trust = trust
        self.application = application
        self.versions = versions
        self.proxy = proxy
        self.peers = peers
        self.peersHeard = peersHeard
        self.ports = ports
    }

    /// The versions that serve here.
    public var serving: [Version] { versions.filter { $0.state == .serving || $0.state == .draining }.map(\.version) }
}

/// One version of an application on one node.
public struct VersionStatus: Codable, Sendable, Equatable {
    /// Where a version stands.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// On its way; ``VersionStatus/stage`` says how far.
        case upgrading
        /// Clients and peers use it.
        case serving
        /// A newer one serves; it gets writes only, and goes when no message comes any more.
        case draining
        /// It stands still while a newer one takes its place; it is started again if that fails.
        case stopped
        /// It was stopped and removed, because a newer one took over.
        case retired
        /// It was taken away; ``VersionStatus/reason`` says why.
        case failed
    }

    /// The version.
    public var version: Version
    /// Where it stands.
    public var state: State
    /// The stage that is under way, or in which it failed.
    public var stage: UpgradeStage?
    /// Why it failed or retired before its time, what it waits for, or why it cannot be put back to a snapshot.
    public var reason: String?
    /// The addresses of its environment, while there is one.
    public var addresses: HostAddresses?
    /// Where the agent of its environment listens, for `versionctl exec`.
    public var agent: AgentAddress?
    /// How long each stage took, in milliseconds; of the stage that is under way, so far.
    public var stages: [StageTime]
    /// What the migrator has done.
    public var migration: MigrationProgress?
    /// What was copied to it, once that has begun: the migration's report.
    public var report: MigrationReport?
    /// What was copied to it once more before the version goes that it takes the place of, once that has begun.
    public var lastReport: MigrationReport?
    /// How it keeps up with clients' writes; `nil` if there is nothing to say.
    public var writes: WriteStatus?
    /// Pieces of data that peers sent to it.
    public var peerMessages: UInt64
    /// How far its layers are, while they come.
    public var download: DownloadStatus?
    /// Where its spread stands, if it begins on some nodes first.
    public var spread: SpreadStatus?
    /// Whether an operator wants it retired, whoever still needs it.
    public var isDismissed: Bool?
    /// What is kept of it for a way back, now that it retired.
    public var replay: ReplayStatus?

    /// A status.
    public init(
        version: Version, state: State, stage: UpgradeStage?, reason: String?, addresses: HostAddresses?,
        agent: AgentAddress? = nil, stages: [StageTime], migration: MigrationProgress?, writes: WriteStatus?,
        peerMessages: UInt64, spread: SpreadStatus? = nil, download: DownloadStatus? = nil
    ) {
        self.spread = spread
        self.download = download
        self.agent = agent
        self.version = version
        self.state = state
        self.stage = stage
        self.reason = reason
        self.addresses = addresses
        self.stages = stages
        self.migration = migration
        self.writes = writes
        self.peerMessages = peerMessages
    }
}

/// How one version keeps up with clients' writes while there are several.
public struct WriteStatus: Codable, Sendable, Equatable {
    /// Writes that it misses for the moment, and that will be brought to it. While it is compared key by key, at least 1.
    public var missing: UInt64
    /// Of these, those that wait in its queue.
    public var queued: UInt64
    /// The memory that they take, in bytes.
    public var queuedBytes: UInt64
    /// Keys that were compared with the other version since the last comparison began.
    public var compared: UInt64
    /// Keys that differed, and were copied from the other version.
    public var copied: UInt64
    /// Writes that it did not do and will not: the versions differ.
    public var diverged: UInt64
    /// Why it cannot be brought up to date, or does not do what others do.
    public var trouble: String?

    /// A status.
    public init(
        missing: UInt64, queued: UInt64, queuedBytes: UInt64, compared: UInt64, copied: UInt64, diverged: UInt64,
        trouble: String?
    ) {
        self.missing = missing
        self.queued = queued
        self.queuedBytes = queuedBytes
        self.compared = compared
        self.copied = copied
        self.diverged = diverged
        self.trouble = trouble
    }
}

/// How long a stage took.
public struct StageTime: Codable, Sendable, Equatable {
    /// The stage.
    public var stage: UpgradeStage
    /// Its beginning, in milliseconds since 1970.
    public var startedAt: Int64
    /// Its time, in milliseconds.
    public var milliseconds: Int64

    /// A stage's time.
    public init(stage: UpgradeStage, startedAt: Int64, milliseconds: Int64) {
        self.stage = stage
        self.startedAt = startedAt
        self.milliseconds = milliseconds
    }
}

/// What an application's proxies have done since versiond began.
public struct ProxyStatus: Codable, Sendable, Equatable {
    /// Requests that were answered.
    public var requests: UInt64
    /// Of these, those that were answered with a failure.
    public var failed: UInt64
    /// Client connections that are open.
    public var connections: UInt64
    /// Client connections that were closed because of what they sent.
    public var refused: UInt64

    /// A status.
    public init(requests: UInt64, failed: UInt64, connections: UInt64, refused: UInt64) {
        self.requests = requests
        self.failed = failed
        self.connections = connections
        self.refused = refused
    }
}

/// What a node's router has done since versiond began.
public struct RouterStatus: Codable, Sendable, Equatable {
    /// Connections of versions here to peers.
    public var outbound: UInt64
    /// Connections of peers to versions here.
    public var inbound: UInt64
    /// Connections of, or to, peers without a router.
    public var plain: UInt64
    /// Requests of other routers.
    public var control: UInt64
    /// Bytes relayed.
    public var bytes: UInt64
    /// Connections that were closed, by reason.
    public var refused: [String: UInt64]
    /// Of the connections to peers, those that went by one which was open already.
    public var pooled: UInt64
    /// Connections of peers that were opened ahead and not used.
    public var unused: UInt64
    /// Its fast path; `nil` from a versiond that does not know of it.
    public var kernel: KernelStatus?

    /// A status.
    public init(
        outbound: UInt64, inbound: UInt64, plain: UInt64, control: UInt64, bytes: UInt64, refused: [String: UInt64],
        pooled: UInt64 = 0, unused: UInt64 = 0, kernel: KernelStatus? = nil
    ) {
        self.pooled = pooled
        self.unused = unused
        self.kernel = kernel
        self.outbound = outbound
        self.inbound = inbound
        self.plain = plain
        self.control = control
        self.bytes = bytes
        self.refused = refused
    }
}
