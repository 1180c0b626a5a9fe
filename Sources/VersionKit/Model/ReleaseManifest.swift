/// What a release is: which application and version, which files, how to start it, judge it, upgrade to it, end it.
///
/// The publisher signs the exact bytes of its JSON form. A node reads it only after the signature was found good, and
/// calls ``validate()`` before it believes a word of it.
///
/// Keys that this version of VersionKit does not know are ignored, so that newer tools can make releases for older
/// nodes; a change that a node must not ignore comes with a new ``format``.
public struct ReleaseManifest: Codable, Sendable, Equatable {
    /// The only format there is so far.
    public static let formatCurrent = 1

    /// The format of the manifest itself, ``formatCurrent``.
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
    /// How a node finds out that the application has started and lives.
    public var healthCheck: HealthCheck
    /// The application proxy, run on the node itself: an absolute path inside the layers, then arguments.
    public var proxy: [String]?
    /// The state migrator, run on the node itself: an absolute path inside the layers, then arguments.
    public var migrator: [String]?
    /// When the version that this one replaces may be ended.
    public var retirement: Retirement
    /// The directory inside the environment with the configuration of the node, `/etc/irislog`.
    public var configurationPath: String?
    /// The directory inside the environment with the application's durable state, `/var/lib/irislog`.
    public var dataPath: String?

    /// A manifest in the current format. Nothing is checked: see ``validate()``.
    public init(
        application: ApplicationID,
        version: Version,
        name: String,
        replaces: Version? = nil,
        ports: Ports,
        layers: [Layer],
        start: [String],
        healthCheck: HealthCheck,
        proxy: [String]? = nil,
        migrator: [String]? = nil,
        retirement: Retirement = Retirement(),
        configurationPath: String? = nil,
        dataPath: String? = nil
    ) {
        self.format = Self.formatCurrent
        self.application = application
        self.version = version
        self.name = name
        self.replaces = replaces
        self.ports = ports
        self.layers = layers
        self.start = start
        self.healthCheck = healthCheck
        self.proxy = proxy
        self.migrator = migrator
        self.retirement = retirement
        self.configurationPath = configurationPath
        self.dataPath = dataPath
    }
}

extension ReleaseManifest {
    /// The ports of an application by who talks to them. The version router keeps peers' traffic of the versions
    /// apart; clients' traffic goes through the proxy: so no port can be both.
    public struct Ports: Codable, Sendable, Equatable {
        /// Ports on which nodes of the application talk to each other.
        public var peer: [UInt16]
        /// Ports on which clients talk to the application.
        public var client: [ClientPort]

        /// Ports for peers and for clients; nothing is checked here.
        public init(peer: [UInt16] = [], client: [ClientPort] = []) {
            self.peer = peer
            self.client = client
        }
    }

    /// One archive of files, named by its content.
    public struct Layer: Codable, Sendable, Equatable {
        /// The media type of an uncompressed tar archive, the only one there is so far.
        public static let tar = "application/vnd.versionkit.layer.v1.tar"

        /// The SHA-256 of the archive.
        public var digest: Digest
        /// The size of the archive in bytes.
        public var size: UInt64
        /// What kind of archive it is.
        public var mediaType: String

        /// A layer with this content.
        public init(digest: Digest, size: UInt64, mediaType: String = Layer.tar) {
            self.digest = digest
            self.size = size
            self.mediaType = mediaType
        }
    }

    /// How to find out whether the application is well.
    public struct HealthCheck: Codable, Sendable, Equatable {
        /// What is tried.
        public struct Kind: RawRepresentable, Codable, Sendable, Hashable {
            /// A connection to the port is accepted.
            public static let tcp = Kind(rawValue: "tcp")

            /// The word in the manifest.
            public let rawValue: String

            /// The kind with this word, known or not: ``ReleaseManifest/validate()`` refuses unknown ones by name.
            public init(rawValue: String) { self.rawValue = rawValue }
        }

        /// What is tried.
        public var kind: Kind
        /// The port to try, inside the environment.
        public var port: UInt16
        /// How long the application may take until the first success.
        public var startupTimeoutMilliseconds: Int
        /// The time between two tries.
        public var intervalMilliseconds: Int

        /// A check of this port.
        public init(
            kind: Kind = .tcp, port: UInt16, startupTimeoutMilliseconds: Int = 30_000, intervalMilliseconds: Int = 250
        ) {
            self.kind = kind
            self.port = port
            self.startupTimeoutMilliseconds = startupTimeoutMilliseconds
            self.intervalMilliseconds = intervalMilliseconds
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

        /// A retirement rule; by default, under one message in ten seconds for a minute.
        public init(messagesPerSecond: Double = 0.1, periodMilliseconds: Int = 60_000) {
            self.messagesPerSecond = messagesPerSecond
            self.periodMilliseconds = periodMilliseconds
        }
    }
}
