import FoundationEssentials
public import VersionKitIsolation
public import VersionKitModel
import VersionKitReleases

/// What an operator tells a node: the contents of versiond's configuration file, JSON.
///
/// ```json
/// {
///   "node": "n1",
///   "address": "10.99.1.1",
///   "state": "/var/lib/versionkit",
///   "control": "/run/versionkit/control.sock",
///   "applications": {
///     "irislog": { "publishers": ["ed25519:..."], "configuration": "/etc/irislog" }
///   }
/// }
/// ```
public struct NodeConfiguration: Codable, Sendable {
    /// The node's name.
    public var node: NodeID
    /// Its addresses, on which peers and clients reach it: one of IPv4, one of IPv6, or a list of both. Environments have
    /// addresses of the same kinds.
    public var address: HostAddresses
    /// The directory of everything that outlives versiond.
    public var state: String
    /// The path of the socket for `versionctl`.
    public var control: String
    /// Where operators and monitoring ask by TCP, too; by default nowhere.
    public var controlTCP: ControlTCP?
    /// How versiond writes its log; by default as text.
    public var logFormat: LogFormat?
    /// The applications that are managed here.
    public var applications: [String: Application]
    /// The first address of the /16 that environments get their IPv4 addresses from, four each, if the node has one
    /// itself; by default 10.77.0.0.
    public var environmentNetwork: IPAddress?
    /// The first address of the /64 that environments get their IPv6 addresses from, four each, if the node has one
    /// itself; by default fd00:564b::.
    public var environmentNetwork6: IPAddress?
    /// The directory of clients' Unix sockets, with one directory in it for each application; by default `sockets` in
    /// ``state``. A socket's whole path has 107 bytes at most.
    public var sockets: String?
    /// The port to which intercepted connections are handed; used by nothing else on this node.
    public var transparentPort: UInt16?
    /// The port on which other nodes fetch releases from this one, TCP and UDP; used by nothing else on this node. By default
    /// ``swarmPortDefault``; 0: releases come only from the nodes that advertise them, and nothing is handed on but to those
    /// that this one told of them.
    public var swarmPort: UInt16?
    /// Bytes per second that this node sends to others that fetch releases, all together, by BitTorrent, and as many by direct
    /// transfers; by default as many as possible.
    public var swarmUploadLimit: Int?
    /// Bytes per second of releases that this node fetches from others, counted in the same way.
    public var swarmDownloadLimit: Int?
    /// The file of the fleet's key, with which routers prove to each other who speaks; only its owner may read it. `nil`:
    /// peers are told nothing but by new connections, and what they tell is refused.
    public var fleetKey: String?
    /// The fleet's name, the same on all its nodes, if it has one: it goes into what routers prove, so that fleets which have
    /// the same key by mistake stay apart.
    public var fleet: NodeID?
    /// For how many seconds a peer may be silent before it is forgotten and keeps no old version; by default
    /// ``peerSilenceSecondsDefault``.
    public var peerSilenceSeconds: UInt32?

    /// The port behind that for intercepted connections.
    public static let swarmPortDefault: UInt16 = 15_002

    /// The way by which a node is asked over the network.
    public struct ControlTCP: Codable, Sendable {
        /// Where versiond listens: nothing there is encrypted, so keep it to loopback or to a network of your own.
        public var listen: Endpoint
        /// The file with what everybody has to show (`Authorization: Bearer`), at least 32 letters; only its owner may read
        /// it. Whoever knows it is root of this node's applications.
        public var token: String
    }

    /// How a log is written.
    public enum LogFormat: String, Codable, Sendable {
        /// A line for people.
        case text
        /// A JSON object on a line.
        case json
    }

    /// A day: a peer that is only quiet opens a connection in that time.
    public static let peerSilenceSecondsDefault: UInt32 = 86_400

    /// The kinds of environments that may be used here; of those that a release allows the strongest is. By default
    /// `["namespaces"]`.
    public var isolation: [IsolationKind]?
    /// What domains of Xen are made from, if ``isolation`` has `xen`.
    public var xen: XenSettings?

    /// The path of CRIU, by which the memory of containers is kept; by default it is looked for in the usual directories.
    public var criu: String?

    /// How many applications are upgraded at a time, until their new versions serve; by default
    /// ``Admission/upgradesMaxDefault``.
    public var upgradesMax: Int?

    /// When snapshots are taken, and which are kept; by default only those that an operator asks for.
    public var snapshots: SnapshotPolicy?

    /// What carries what the router has decided; by default the best that this node allows.
    public var kernelPath: KernelPathChoice?
    /// The ports of this host that may lead straight to versions, `10001-11000`: outside of
    /// `net.ipv4.ip_local_port_range`, and used by nothing else.
    public var directPorts: String?

    /// Which fast path an operator wants.
    public enum KernelPathChoice: String, Codable, Sendable {
        /// The best that the node allows.
        case auto
        /// eBPF, or none.
        case ebpf
        /// nftables, or none.
        case nftables
        /// None: everything takes the slow path.
        case none
    }

    /// One managed application.
    public struct Application: Codable, Sendable {
        /// The publishers any one of whom may sign releases, if there is no ``root``.
        public var publishers: [String]?
        /// The file of the root that says whose releases are accepted, from which newer ones lead on; then a channel says
        /// which releases may begin.
        public var root: String?
        /// The directory with this node's configuration of the application, copied into each environment.
        public var configuration: String?
        /// The version that peers without a router are taken to speak; by default the oldest that runs.
        public var plainVersion: Version?
        /// What tells the versions' connections apart, if the application's own protocol says which version speaks: then
        /// it gets no headers.
        public var filter: [FilterPrefix]?
        /// What each of its versions may use at most, as far as the kind of environment can hold it to that, beside
        /// what the release asks for: the stricter of each.
        public var limits: ResourceLimits?
        /// How quickly state is copied between its versions, in place of what the release says.
        public var migration: MigrationRate?

        /// An application.
        public init(
            publishers: [String]? = nil, root: String? = nil, configuration: String? = nil,
            plainVersion: Version? = nil,
            filter: [FilterPrefix]? = nil
        ) {
            self.publishers = publishers
            self.root = root
            self.configuration = configuration
            self.plainVersion = plainVersion
            self.filter = filter
        }
    }

    /// A configuration; the rest has defaults.
    public init(
        node: NodeID, address: HostAddresses, state: String, control: String, applications: [String: Application]
    ) {
        self.node = node
        self.address = address
        self.state = state
        self.control = control
        self.applications = applications
    }

    /// Reads a configuration file.
    ///
    /// - Throws: ``NodeError`` that says what is wrong in it.
    public init(contentsOf path: String) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(filePath: path)))
        } catch let error as DecodingError {
            throw NodeError("\(path): \(error)")
        } catch {
            throw NodeError("\(path) cannot be read: \(error)")
        }
    }

    /// The configuration as the file has it.
    public func encoded() throws -> String {
        String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    }

    /// Whose releases of an application are accepted.
    func trustKeeper(for application: ApplicationID) throws -> TrustKeeper {
        let settings = applications[application.rawValue]
        let keys = try (settings?.publishers ?? []).map { text in
            guard let key = PublisherPublicKey(text) else { throw NodeError("'\(text)' is not a publisher's key") }
            return key
        }
        guard keys.isEmpty || settings?.root == nil else {
            throw NodeError(
                "\(application) has \"publishers\" and a \"root\": leave the publishers out, the root names them")
        }
        return try TrustKeeper(
            TrustPolicy(application: application, keys: keys), root: settings?.root, directory: state + "/trust")
    }
}

/// Why a node could not do what it was asked.
public struct NodeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened and what to do.
    public var description: String

    /// An error for this reason.
    public init(_ description: String) { self.description = description }
}
