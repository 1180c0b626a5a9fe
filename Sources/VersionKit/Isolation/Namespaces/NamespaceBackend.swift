import Glibc
public import VersionKitModel

/// Environments out of Linux namespaces and an overlay file system. Needs root, or to be root of a user namespace.
public struct NamespaceBackend: IsolationBackend {
    /// Where the environments' data are, one directory each.
    private let directory: String
    /// The networks that the environments' addresses are out of, four of each to an environment.
    private let networks: HostAddresses

    public var kind: IsolationKind { .namespaces }

    /// A backend.
    ///
    /// - Parameters:
    ///   - directory: where the environments' data go; made if it does not exist.
    ///   - networks: for each kind of address that environments are to have, the first address of a network that is used
    ///     nowhere else on this node: a /16 of IPv4, a /64 of IPv6.
    public init(directory: String, networks: HostAddresses) {
        self.directory = directory
        self.networks = networks
    }

    public func probe() async -> [IsolationFinding] {
        var findings = [
            IsolationFinding("limits of memory, processors and tasks", obstacle: Cgroup.obstacle, isRequired: false),
            IsolationFinding("limits of disk space", obstacle: LimitedDisk.obstacle, isRequired: false),
        ]
        let obstacle: String?
        do throws(IsolationError) {
            try await execute("unshare", ["--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "true"])
            obstacle = nil
        } catch {
            obstacle = "\(error); allow user namespaces (user.max_user_namespaces), or run versiond as root"
        }
        findings.insert(IsolationFinding("namespaces", obstacle: obstacle), at: 0)
        return findings
    }

    public func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError) {
        try specification.checkUser(kind, count: 0)
        let place = place(of: specification)
        if keepsData { try await end(place) } else { try await destroy(specification.name) }
        try make(directory)
        if access(place.base, F_OK) != 0 { try Subvolume.makeDirectory(place.base) }
        try await layOut(specification)
    }

    public func restore(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) {
        let place = place(of: specification)
        try await destroy(specification.name)
        try make(self.directory)
        _ = try await FileSnapshot.take(of: directory, to: place.base, limit: FileSnapshot.limit)
        try await place.prune(specification.carriedPaths)
        try await layOut(specification)
    }

    public var keepsStopped: Bool { true }

    public func keep(_ name: String, into directory: String) async throws(IsolationError) -> SnapshotReport {
        let place = Place(self.directory, name)
        try await end(place)
        return try await place.keep([place.upperName], into: directory)
    }

    private func layOut(_ specification: EnvironmentSpecification) async throws(IsolationError) {
        let place = place(of: specification)
        for path in [place.root, specification.runDirectory] { try make(path) }
        try await place.layOut([place.upperName], limit: specification.limits.diskBytes)
    }

    public func create(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let place = place(of: specification)
        // Before anybody waits for an agent that there will not be.
        try Cgroup(of: place).make(specification.limits)
        let listener = try AgentSocket.listen(at: place.socket)
        // Before there is an agent: it ends when its last conversation does, and so with this process.
        guard let connection = try await AgentConnection.open(place.agent) else {
            throw IsolationError("nobody listens at \(place.socket)")
        }
        let environment = NamespaceEnvironment(connection: connection, link: link(specification), place: place)
        do throws(IsolationError) {
            let (program, arguments) = place.withDisk(specification.tools.agent, arguments(specification, place))
            let pid = try await place.startAgent(program, arguments, listener: listener)
            try place.process.record(pid)
            try Cgroup(of: place).add(pid)
            try await environment.link.connect(processID: pid, record: place.link)
        } catch {
            await environment.stop(.immediate)
            throw error
        }
        return environment
    }

    /// What the agent is told of the environment.
    private func arguments(_ specification: EnvironmentSpecification, _ place: Place) -> [String] {
        var arguments = [
            "namespaces", "lower=\(specification.layers.joined(separator: ":"))", "upper=\(place.upper)",
            "work=\(place.work)", "root=\(place.root)", "run=\(specification.runDirectory)",
            "hostname=\(specification.name)", "versionctl=\(specification.tools.versionctl)",
        ]
        if let runtime = specification.tools.runtime { arguments.append("runtime=\(runtime)") }
        return arguments
    }

    public func adopt(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> (any IsolationEnvironment)? {
        let place = place(of: specification)
        guard place.process.pid != nil, let connection = try await AgentConnection.open(place.agent),
            await connection.hasStarted()
        else { return nil }
        return NamespaceEnvironment(connection: connection, link: link(specification), place: place)
    }

    public func names() async throws(IsolationError) -> Set<String> { Set(try namesOfFiles(in: directory)) }

    public func destroy(_ name: String) async throws(IsolationError) {
        let place = Place(directory, name)
        try await end(place)
        try await removeTree(place.base)
    }

    /// Ends what an earlier process has left running.
    private func end(_ place: Place) async throws(IsolationError) {
        await place.process.waitUntilGone(kills: true)
        try await place.link.removeLink()
        try await Cgroup(of: place).remove()
        try await place.limitedDisk.waitUntilReleased()
    }

    private func place(of specification: EnvironmentSpecification) -> Place { Place(directory, specification.name) }

    private func link(_ specification: EnvironmentSpecification) -> EnvironmentLink {
        EnvironmentLink(networks: networks, slot: specification.slot)
    }
}
