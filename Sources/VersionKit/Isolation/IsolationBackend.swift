public import VersionKitModel

/// A way to keep versions of an application apart on one node.
///
/// An environment goes through `prepare`, `create`, `copyIn`, `run`, `start`, `stop`, `destroy`. Until it is started it
/// ends with the process that makes it; from then on it outlives that process, and the next one adopts it.
///
/// - Note: R1-R4; DESIGN 9; docs/isolation.md.
public protocol IsolationBackend: Sendable {
    /// Which way it is.
    var kind: IsolationKind { get }

    /// What this machine lets it do; each "no" with its reason and its remedy.
    func probe() async -> [IsolationFinding]

    /// Lays the environment's file system out (the stage Prep FS). What an earlier environment of this name left running
    /// is ended.
    ///
    /// - Parameter keepsData: whether what an earlier environment of this name wrote stays.
    func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError)

    /// Creates the environment, with its network (Create VM). Nothing of the application runs yet.
    func create(_ specification: EnvironmentSpecification) async throws(IsolationError) -> any IsolationEnvironment

    /// Goes on with an environment that was started by a process before this one and still runs; `nil` if there is none.
    /// How its version ended is told by ``IsolationEnvironment/exit()``, even if it ended before.
    func adopt(_ specification: EnvironmentSpecification) async throws(IsolationError) -> (any IsolationEnvironment)?

    /// The names of all environments of which anything is left on this node.
    func names() async throws(IsolationError) -> Set<String>

    /// Ends whatever of an environment runs, and removes everything that it left on the node. If there is nothing, nothing
    /// is done.
    func destroy(_ name: String) async throws(IsolationError)

    /// Lays the file system out as a snapshot has it, in place of ``prepare(_:keepsData:)``. The specification may be
    /// another environment's than the snapshot was taken of: then this is a clone.
    ///
    /// - Parameter directory: what ``IsolationEnvironment/snapshot(_:into:)`` filled. It is left as it is.
    func restore(_ specification: EnvironmentSpecification, from directory: String) async throws(IsolationError)

    /// Whether ``keep(_:into:)`` can be done.
    var keepsStopped: Bool { get }

    /// Keeps the files of an environment that was stopped, as ``restore(_:from:)`` wants them.
    ///
    /// - Parameter directory: filled with them; does not exist yet.
    func keep(_ name: String, into directory: String) async throws(IsolationError) -> SnapshotReport

    /// Creates an environment out of a snapshot with memory, in which the version goes on where it was.
    func revive(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) -> any IsolationEnvironment
}

/// An environment that exists, until it is stopped.
public protocol IsolationEnvironment: Sendable {
    /// Where the version is reached from its node.
    var addresses: HostAddresses { get }

    /// The node's end of the link to it, `vk3`; `nil` if it has the node's own network.
    var interface: String? { get }

    /// Where its agent listens, for a command inside.
    var agent: AgentAddress { get }

    /// Whether programs inside see the specification's `runDirectory`, and so the node's sockets in it.
    var seesRunDirectory: Bool { get }

    /// Copies a directory's files to a place in the environment (Copy to VM).
    func copyIn(_ directory: String, to path: String) async throws(IsolationError)

    /// Runs a program to its end (Config app).
    func run(_ command: [String]) async throws(IsolationError)

    /// Starts the version (Running). Returns when it was executed, not when it is ready.
    func start(_ version: VersionStart) async throws(IsolationError)

    /// How the version's process ended; returns only then. `nil`: the environment was stopped.
    func exit() async -> Int32?

    /// Stops everything inside for a while.
    func pause() async throws(IsolationError)

    /// Lets everything inside go on.
    func resume() async throws(IsolationError)

    /// What the environment uses just now.
    func usage() async throws(IsolationError) -> ResourceUsage

    /// Keeps what the environment is at this moment; its version goes on afterwards.
    ///
    /// - Parameter directory: filled with the snapshot; does not exist yet.
    func snapshot(_ level: SnapshotLevel, into directory: String) async throws(IsolationError) -> SnapshotReport

    /// The last lines of what the version printed, for error messages.
    func logTail() -> String

    /// Ends everything in the environment, as `teardown` says. What was written stays on disk.
    func stop(_ teardown: Teardown) async
}

extension IsolationEnvironment {
    /// Starts the version by a command alone.
    public func start(_ command: [String]) async throws(IsolationError) { try await start(VersionStart(command)) }
}

/// How a version is started.
public struct VersionStart: Sendable, Hashable {
    /// The program and its arguments.
    public var command: [String]
    /// Whom it runs as, where and with which variables; `nil`: as every program there.
    public var settings: StartSettings?
    /// The directory with its durable state, which is to be its user's.
    public var dataPath: String?

    /// A start by this command.
    public init(_ command: [String], settings: StartSettings? = nil, dataPath: String? = nil) {
        (self.command, self.settings, self.dataPath) = (command, settings, dataPath)
    }
}

extension IsolationBackend {
    public func restore(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) { throw .cannot("restore snapshots", kind) }

    public var keepsStopped: Bool { false }

    public func keep(_ name: String, into directory: String) async throws(IsolationError) -> SnapshotReport {
        throw IsolationError(
            "of an environment of the kind \(kind) nothing can be kept while it stands still, so no other version can take "
                + "its place: namespaces and oci can, or the release has both run side by side")
    }

    public func revive(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) -> any IsolationEnvironment { throw .cannot("restore memory", kind) }
}

/// Why an environment could not do what it was asked.
public struct IsolationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, for a person.
    public var description: String

    /// An error for this reason.
    public init(_ description: String) { self.description = description }

    static func cannot(_ what: String, _ kind: IsolationKind) -> IsolationError {
        IsolationError("environments of the kind \(kind) cannot \(what) on this machine: see versionctl doctor")
    }
}
