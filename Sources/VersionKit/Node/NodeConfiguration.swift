import FoundationEssentials
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
    /// Its address, on which peers and clients reach it.
    public var address: IPv4Address
    /// The directory of everything that outlives versiond.
    public var state: String
    /// The path of the socket for `versionctl`.
    public var control: String
    /// The applications that are managed here.
    public var applications: [String: Application]
    /// The first address of the /16 that environments get their addresses from.
    public var environmentNetwork: IPv4Address?
    /// The directory of clients' Unix sockets, with one directory in it for each application; by default `sockets` in
    /// ``state``. A socket's whole path has 107 bytes at most.
    public var sockets: String?
    /// The port to which intercepted connections are handed; used by nothing else on this node.
    public var transparentPort: UInt16?

    /// One managed application.
    public struct Application: Codable, Sendable {
        /// The publishers whose releases are accepted.
        public var publishers: [String]
        /// The directory with this node's configuration of the application, copied into each environment.
        public var configuration: String?
        /// The version that peers without a router are taken to speak; by default the oldest that runs.
        public var plainVersion: Version?

        /// An application.
        public init(publishers: [String], configuration: String? = nil, plainVersion: Version? = nil) {
            self.publishers = publishers
            self.configuration = configuration
            self.plainVersion = plainVersion
        }
    }

    /// A configuration; the rest has defaults.
    public init(
        node: NodeID, address: IPv4Address, state: String, control: String, applications: [String: Application]
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
    func trust(for application: ApplicationID) throws -> TrustPolicy {
        let keys = try (applications[application.rawValue]?.publishers ?? []).map { text in
            guard let key = PublisherPublicKey(text) else { throw NodeError("'\(text)' is not a publisher's key") }
            return key
        }
        return TrustPolicy(application: application, keys: keys)
    }
}

/// Why a node could not do what it was asked.
public struct NodeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened and what to do.
    public var description: String

    /// An error for this reason.
    public init(_ description: String) { self.description = description }
}
