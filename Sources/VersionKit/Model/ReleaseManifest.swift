/// What a release is: which application and version, which files, how to start it, judge it, upgrade to it, end it.
///
/// The publisher signs the exact bytes of its JSON form. A node reads it only after the signature was found good, and
/// calls ``validate()`` before it believes a word of it.
///
/// Keys that this version of VersionKit does not know are ignored, so that newer tools can make releases for older
/// nodes; a change that a node must not ignore comes with a new ``format``.
public struct ReleaseManifest: Codable, Sendable, Equatable {
    /// The newest format that there is.
    public static let formatCurrent = 3

    /// The format of the manifest itself: ``formatNeeded``.
    public var format: Int
    /// The application that this is a release of.
    public var application: ApplicationID
    /// The number by which nodes order releases and which travels in headers.
    public var version: Version
    /// What people call the version: `2.0`.
    public var name: String
    /// The version that this one was made to take over from; `nil` for the first.
    public var replaces: Version?
    /// The ports that the application listens on.
    public var ports: Ports
    /// The files, lowest layer first: a later one hides the same path of an earlier one.
    public var layers: [Layer]
    /// The command that starts the application inside its environment: an absolute path, then arguments.
    public var start: [String]
    /// What it is started with beside the command; `nil`: nothing. Manifests of format 2 have it.
    public var startSettings: StartSettings?
    /// How a node finds out that the application has started and lives.
    public var healthCheck: HealthCheck
    /// The application proxy, run on the node itself: an absolute path inside the layers, then arguments.
    public var proxy: [String]?
    /// The state migrator, run on the node itself: an absolute path inside the layers, then arguments.
    public var migrator: [String]?
    /// When the version that this one replaces may be ended.
    public var retirement: Retirement
    /// On which nodes it begins; `nil`: on all at once. Manifests of format 3 have it.
    public var spread: StagedSpread?
    /// The directory inside the environment with the configuration of the node, `/etc/irislog`.
    public var configurationPath: String?
    /// The directory inside the environment with the application's durable state, `/var/lib/irislog`.
    public var dataPath: String?
    /// The kinds of environments that the version may run in; `nil`: any.
    public var isolation: [IsolationKind]?
    /// The SHA-256 of the torrent file, by which nodes fetch the layers from each other; `nil`: from one node alone.
    /// Manifests of format 3 have it.
    public var swarm: Digest?

    /// How it takes over from the version before; `nil`: side by side.
    public var method: Method?

    /// What a node has to have free for it; `nil`: only what can be seen.
    public var needs: Needs?

    /// The most that its environment may use; the node's own limits hold beside them, the stricter of each. `nil`: only the
    /// node's. Manifests of format 3 have it.
    public var limits: ResourceLimits?

    /// How quickly state is copied to it; `nil`: as quickly as can be.
    public var migration: MigrationRate?

    /// From when on no node begins to run it any more; `nil`: never. Manifests of format 3 have it.
    public var expires: UTCTime?

    /// The oldest format that says all of this, so that older nodes know whether they understand it: 3 for releases with a
    /// ``spread``, a ``swarm``, a ``method``, ``needs``, ``limits`` or ``migration``, with compressed layers or packages, that
    /// expire, ask for a replay, or with another health check than a connection, 2 for those with ``startSettings`` or with
    /// layers of images.
    public var formatNeeded: Int {
        let isNew =
            spread != nil || swarm != nil || method != nil || needs != nil || limits != nil || migration != nil
            || expires != nil || retirement.replay != nil
        if isNew || healthCheck.isNew || layers.contains(where: { $0.isCompressed || $0.package != nil }) { return 3 }
        return startSettings == nil && !layers.contains(where: \.isImage) ? 1 : 2
    }

    /// A manifest in the format that it needs. Nothing is checked: see ``validate()``.
    public init(
        application: ApplicationID,
        version: Version,
        name: String,
        replaces: Version? = nil,
        ports: Ports,
        layers: [Layer],
        start: [String],
        startSettings: StartSettings? = nil,
        healthCheck: HealthCheck,
        proxy: [String]? = nil,
        migrator: [String]? = nil,
        retirement: Retirement = Retirement(),
        spread: StagedSpread? = nil,
        configurationPath: String? = nil,
        dataPath: String? = nil,
        isolation: [IsolationKind]? = nil,
        swarm: Digest? = nil,
        expires: UTCTime? = nil
    ) {
        self.format = 1
        self.application = application
        self.version = version
        self.name = name
        self.replaces = replaces
        self.ports = ports
        self.layers = layers
        self.start = start
        self.startSettings = startSettings
        self.healthCheck = healthCheck
        self.proxy = proxy
        self.migrator = migrator
        self.retirement = retirement
        self.spread = spread
        self.configurationPath = configurationPath
        self.dataPath = dataPath
        self.isolation = isolation
        self.swarm = swarm
        self.expires = expires
        format = formatNeeded
    }
}

extension ReleaseManifest {
    /// The ports of an application by who talks to them. The version router keeps peers' traffic of the versions
    /// apart; clients' traffic goes through the proxy: so no port can be both.
    public struct Ports: Codable, Sendable, Equatable {
        /// Ports on which nodes of the application talk to each other.
        public var peer: [TransportPort]
        /// Ports on which clients talk to the application.
        public var client: [ClientPort]
        /// Whether peers reach the version as soon as it runs, not only when its state is complete: for applications whose
        /// nodes have to know each other before any of them can be given state, such as rings.
        public var peersBeforeServe: Bool?

        /// Ports for peers and for clients; nothing is checked here.
        public init(peer: [TransportPort] = [], client: [ClientPort] = [], peersBeforeServe: Bool? = nil) {
            self.peer = peer
            self.client = client
            self.peersBeforeServe = peersBeforeServe
        }
    }

    /// The replaced version may end when fewer messages than this reached it, for this long.
    ///
    /// - Note: L 2.3.2, R18.
    public struct Retirement: Codable, Sendable, Equatable {
        /// The threshold.
        public var messagesPerSecond: Double
        /// How long the rate must stay under the threshold.
        public var periodMilliseconds: Int
        /// Whether the replaced version is kept when it retires, and what clients write from then on is replayed to it when
        /// it is gone back to (R19).
        public var replay: Bool?

        /// A retirement rule; by default, under one message in ten seconds for a minute, and nothing is replayed.
        public init(messagesPerSecond: Double = 0.1, periodMilliseconds: Int = 60_000, replay: Bool? = nil) {
            self.messagesPerSecond = messagesPerSecond
            self.periodMilliseconds = periodMilliseconds
            self.replay = replay
        }
    }
}
