public import VersionKitModel

/// What is asked of a node's `versiond`, answered by a ``ControlResponse``. ``ControlRoute`` says how HTTP carries it.
public enum ControlRequest: Sendable, Equatable {
    /// The node's ``NodeStatus``.
    case status
    /// Counts and gauges for Prometheus.
    case metrics
    /// What happened on the node: events of one application or of all, the newest last, at most so many.
    case history(application: ApplicationID? = nil, limit: Int? = nil)
    /// Take a release from a directory of this machine and begin to upgrade to it.
    case publish(directory: String)
    /// Take the next root of an application from a file of this machine.
    case publishRoot(file: String)
    /// Take a newer channel of an application from a file of this machine.
    case publishChannel(file: String)
    /// Go on as another versiond in the same process: this program, or the one that runs. Nothing that runs notices.
    case restart(binary: String? = nil)
    /// Take the newest version of an application away, as long as the older one runs.
    case rollback(application: ApplicationID)
    /// Stop and remove the older version of an application, whoever still needs it.
    case retire(application: ApplicationID)
    /// Promote a release that begins on some nodes first, or withdraw it, for the whole fleet.
    case judge(application: ApplicationID, version: Version, promotes: Bool, reason: String? = nil)
    /// Go back to a snapshot: its version runs again with what it had then, or, if it is to be clean, with what it was
    /// delivered with alone; a newer one is taken away. What was written since is replayed, where a release asks for that,
    /// unless it is not to be.
    case restore(application: ApplicationID, snapshot: String, isClean: Bool? = nil, isReplayed: Bool? = nil)
    /// Keep a running version, by default the newest that serves, as it is now.
    case snapshot(application: ApplicationID, version: Version? = nil, level: SnapshotLevel = .files)
    /// The snapshots that there are.
    case snapshots
    /// Remove a snapshot.
    case removeSnapshot(String)
    /// What went between versions here and peers.
    case traffic
    /// What this node can do to isolate versions.
    case isolation
    /// Which path a flow takes, and why.
    case explain(FlowQuery)
    /// Forget a peer that is gone for good, so that no old version is kept for it.
    case forgetPeer(application: ApplicationID, address: IPAddress)
    /// From inside an environment: these are the ports of the application's server-to-server protocol (R7), for so many
    /// seconds, or until the environment ends. What the version had registered of them before is replaced.
    case register(ports: [TransportPort], name: ProtocolName? = nil, leaseSeconds: UInt32? = nil)
    /// From inside an environment: the leases of these ports begin anew, with so many seconds.
    case renew(ports: [TransportPort], leaseSeconds: UInt32)
    /// From inside an environment: the version does not use these ports any more.
    case unregister(ports: [TransportPort])
    /// The registered ports of all applications here, or of those that fit.
    case ports(application: ApplicationID? = nil, name: ProtocolName? = nil, transport: TransportProtocol? = nil)
}

extension ControlRequest {
    /// Whether it may be asked twice: when an answer is lost it is not known whether the request was done.
    var isRepeatable: Bool {
        switch self {
        case .status, .metrics, .history, .traffic, .isolation, .snapshots, .explain, .ports, .register, .renew: true
        case .publish, .publishRoot, .publishChannel, .restart, .rollback, .retire, .judge, .restore, .snapshot,
            .removeSnapshot, .forgetPeer, .unregister:
            false
        }
    }
}

/// What a node answers.
public enum ControlResponse: Sendable, Equatable {
    /// It is done, or begun.
    case done(String)
    /// The node's status.
    case status(NodeStatus)
    /// Metrics in the text format of Prometheus.
    case metrics(String)
    /// What happened, and the stages of upgrades.
    case history(HistoryStatus)
    /// It will be restarted: so often it was before.
    case restarting(number: UInt64)
    /// What went between versions here and peers since versiond began.
    case traffic([TrafficStatus])
    /// The kinds of environments that the node was told to use, the strongest first.
    case isolation([IsolationStatus])
    /// The snapshots, the oldest first.
    case snapshots([SnapshotStatus])
    /// The registered ports that were asked for, by port and version.
    case ports([PortStatus])
    /// Which path a flow takes, and why.
    case flow(FlowStatus)
    /// It was refused; the text says why and what to do.
    case refused(String)
}

/// The bounds of control messages.
public enum ControlLimits {
    /// The longest body of a request or of an answer, in bytes.
    public static let bodyBytesMax = 4 << 20
    /// How long a request may take to come, and its answer to be taken, in seconds.
    public static let requestSecondsMax = 30
    /// The most events of a history at one time.
    public static let historyMax = 1000
    /// Connections to one control socket at a time.
    public static let connectionsMax = 64
}
