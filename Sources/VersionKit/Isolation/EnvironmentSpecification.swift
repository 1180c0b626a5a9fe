public import VersionKitModel

/// What an environment is made from.
public struct EnvironmentSpecification: Sendable, Hashable, Codable {
    /// Its name on this node, such as `irislog-2`: also the directory of its data.
    public var name: String
    /// Read-only directories that are stacked, the topmost first.
    public var layers: [String]
    /// A number no other environment of the node has: its addresses and interfaces are made from it.
    public var slot: Int
    /// The node's directory that appears inside as `/run/versionkit`, as far as the backend can share one.
    public var runDirectory: String
    /// The programs of VersionKit that appear inside.
    public var tools: EnvironmentTools
    /// The directory inside with the durable state, which is kept apart from what else is written; `nil`: not kept apart.
    public var dataPath: String?
    /// Whom the version is to be inside; `nil`: root, as far as the backend has one.
    public var user: StartSettings.User?
    /// What it may use at most.
    public var limits: ResourceLimits
    /// Of the files of a snapshot that it is restored from, those below these paths inside are taken; `nil`: all.
    public var carriedPaths: [String]?

    /// What an environment is made from.
    public init(
        name: String, layers: [String], slot: Int, runDirectory: String, tools: EnvironmentTools,
        dataPath: String? = nil, user: StartSettings.User? = nil, limits: ResourceLimits = ResourceLimits()
    ) {
        self.name = name
        self.layers = layers
        self.slot = slot
        self.runDirectory = runDirectory
        self.tools = tools
        self.dataPath = dataPath
        self.user = user
        self.limits = limits
    }
}

extension EnvironmentSpecification {
    /// Whether a version that is to keep its durable state apart finds everything else read-only, where a backend can do
    /// that. Then what it wrote and what it was delivered with never mix: each can be taken back without the other.
    var hasReadOnlyRoot: Bool { dataPath != nil }

    /// Refuses a user that the version cannot be.
    ///
    /// - Parameter count: how many users there are inside.
    func checkUser(_ kind: IsolationKind, count: UInt32) throws(IsolationError) {
        guard let user, !user.isRoot, max(user.id, user.group) >= count else { return }
        throw IsolationError(
            "environments of the kind \(kind) have no user \(user.id):\(user.group) here: run versiond as root with "
                + "isolation oci, uml or xen, or make the release with \"user\": \"0\"")
    }
}

/// The programs of VersionKit that an environment's boot needs inside.
public struct EnvironmentTools: Sendable, Hashable, Codable {
    /// Where `versionctl` is inside.
    public static let versionctlInside = "/run/tools/versionctl"

    /// The path of `versionctl` on the node.
    public var versionctl: String
    /// The directory of the Swift runtime that it is linked against, if the linker would not find it by itself.
    public var runtime: String?
    /// The path of `versionkit-environment` on the node: statically linked, it runs in any root file system.
    public var agent: String

    /// Programs of the node.
    public init(versionctl: String, runtime: String?, agent: String) {
        self.versionctl = versionctl
        self.runtime = runtime
        self.agent = agent
    }
}

/// What an environment uses.
public struct ResourceUsage: Sendable, Hashable, Codable {
    /// Memory in bytes.
    public var memoryBytes: UInt64
    /// Processor time since it was created, in seconds.
    public var processorSeconds: Double
    /// Processes and threads.
    public var tasks: Int

    /// What is used.
    public init(memoryBytes: UInt64, processorSeconds: Double, tasks: Int) {
        self.memoryBytes = memoryBytes
        self.processorSeconds = processorSeconds
        self.tasks = tasks
    }
}

/// How a snapshot went.
public struct SnapshotReport: Sendable, Hashable, Codable {
    /// For how long the version stood still.
    public var paused: Duration
    /// The space that the snapshot takes, in bytes.
    public var bytes: UInt64

    /// A report.
    public init(paused: Duration, bytes: UInt64) {
        self.paused = paused
        self.bytes = bytes
    }
}

/// How a version is ended: asked first, then made to.
public struct Teardown: Sendable, Hashable {
    /// How long it may take to end by itself after SIGTERM.
    public var gracePeriod: Duration

    /// A way to end a version.
    public init(gracePeriod: Duration) { self.gracePeriod = gracePeriod }

    /// Two seconds of grace.
    public static let standard = Teardown(gracePeriod: .seconds(2))
    /// No grace: for what failed anyhow.
    public static let immediate = Teardown(gracePeriod: .zero)
}
