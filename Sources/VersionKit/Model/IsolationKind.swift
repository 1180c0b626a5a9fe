/// Which way of isolation.
public struct IsolationKind: RawRepresentable, Sendable, Hashable, Codable, CustomStringConvertible {
    /// The host's own network, files and users: for development.
    public static let process = IsolationKind(rawValue: "process")
    /// Linux namespaces and overlayfs, by VersionKit itself.
    public static let namespaces = IsolationKind(rawValue: "namespaces")
    /// An OCI runtime's container: crun or runc.
    public static let oci = IsolationKind(rawValue: "oci")
    /// User Mode Linux: a kernel of its own, as an ordinary process.
    public static let uml = IsolationKind(rawValue: "uml")
    /// A Xen domain.
    public static let xen = IsolationKind(rawValue: "xen")

    /// All of them, the strongest first.
    public static let known: [IsolationKind] = [.xen, .uml, .oci, .namespaces, .process]

    /// The word in configurations and releases.
    public let rawValue: String

    /// The kind with this word, known or not.
    public init(rawValue: String) { self.rawValue = rawValue }

    public var description: String { rawValue }

    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// One thing that a machine lets a backend do, or not.
public struct IsolationFinding: Sendable, Hashable, Codable {
    /// What it is about, for a person: `limits of memory`.
    public var feature: String
    /// Why not, and what to do; `nil`: it can.
    public var obstacle: String?
    /// Whether environments of this kind cannot be had without it.
    public var isRequired: Bool

    /// A finding.
    public init(_ feature: String, obstacle: String? = nil, isRequired: Bool = true) {
        self.feature = feature
        self.obstacle = obstacle
        self.isRequired = isRequired
    }
}
