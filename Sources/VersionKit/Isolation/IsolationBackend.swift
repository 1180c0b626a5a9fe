public import VersionKitModel

/// A way to keep versions of an application apart on one node: namespaces here, containers, User Mode Linux and Xen
/// domains elsewhere.
///
/// - Note: R1-R4; DESIGN 9.
public protocol IsolationBackend: Sendable {
    /// Lays the environment's file system out (the stage Prep FS).
    ///
    /// - Parameter keepsData: whether what an earlier environment of this name wrote stays.
    func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError)

    /// Creates the environment, with its network (Create VM). Nothing of the application runs yet.
    func create(_ specification: EnvironmentSpecification) async throws(IsolationError) -> any IsolationEnvironment

    /// Removes everything that the environment left on disk.
    func remove(_ specification: EnvironmentSpecification) async throws(IsolationError)
}

/// An environment that exists, until it is stopped.
public protocol IsolationEnvironment: Sendable {
    /// Where the version is reached from its node.
    var address: IPv4Address { get }

    /// Copies a directory's files to a place in the environment (Copy to VM).
    func copyIn(_ directory: String, to path: String) async throws(IsolationError)

    /// Runs a program to its end (Config app).
    func run(_ command: [String]) async throws(IsolationError)

    /// Starts the version (Running). Returns when it was executed, not when it is ready.
    func start(_ command: [String]) async throws(IsolationError)

    /// How the version's process ended; returns only then. `nil`: the environment was stopped.
    func exit() async -> Int32?

    /// The last lines of what the version printed, for error messages.
    func logTail() -> String

    /// Ends everything in the environment, as `teardown` says. What was written stays on disk.
    func stop(_ teardown: Teardown) async
}

/// What an environment is made from.
public struct EnvironmentSpecification: Sendable, Hashable {
    /// Its name on this node, such as `irislog-2`: also the directory of its data.
    public var name: String
    /// Read-only directories that are stacked, the topmost first.
    public var layers: [String]
    /// A number no other environment of the node has: its addresses and interfaces are made from it.
    public var slot: Int
    /// The node's directory that appears inside as `/run/versionkit`.
    public var runDirectory: String
    /// The programs of VersionKit that appear inside.
    public var tools: EnvironmentTools

    /// What an environment is made from.
    public init(name: String, layers: [String], slot: Int, runDirectory: String, tools: EnvironmentTools) {
        self.name = name
        self.layers = layers
        self.slot = slot
        self.runDirectory = runDirectory
        self.tools = tools
    }
}

/// The programs of VersionKit that an environment's boot needs inside.
public struct EnvironmentTools: Sendable, Hashable {
    /// Where ``versionctl`` is inside.
    public static let versionctlInside = "/run/tools/versionctl"

    /// The path of `versionctl` on the node.
    public var versionctl: String
    /// The directory of the Swift runtime that it is linked against, if the linker would not find it by itself.
    public var runtime: String?

    /// Programs of the node.
    public init(versionctl: String, runtime: String?) {
        self.versionctl = versionctl
        self.runtime = runtime
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

/// Why an environment could not do what it was asked.
public struct IsolationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, for a person.
    public var description: String

    /// An error for this reason.
    public init(_ description: String) { self.description = description }
}
