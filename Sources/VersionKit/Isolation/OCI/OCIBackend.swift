import Glibc
public import VersionKitModel

/// Environments that an OCI runtime makes: containers with seccomp, users of their own, and limits. Needs root, or to be
/// root of a user namespace.
///
/// The runtime only makes them. What they are made of is mounted by `versionkit-environment container`, in a mount
/// namespace that goes when they do; how they end is told by their agent; and what a runtime leaves that was killed half
/// way, which its own `delete` does not know, is removed by what it is made of: processes and control groups.
public struct OCIBackend: IsolationBackend {
    /// Where the environments' data are, one directory each.
    private let directory: String
    /// The networks that the environments' addresses are out of, four of each to an environment.
    private let networks: HostAddresses
    private let runtimes: [OCIRuntime]
    private let keeper: MemoryKeeper

    public var kind: IsolationKind { .oci }

    /// A backend.
    ///
    /// - Parameters:
    ///   - directory: where the environments' data go; made if it does not exist. Not `/media`.
    ///   - networks: for each kind of address that environments are to have, the first address of a network that is used
    ///     nowhere else on this node: a /16 of IPv4, a /64 of IPv6.
    ///   - runtimes: those that may be taken; the first that works here is, but for one that keeps memory, where that can
    ///     be kept.
    ///   - criu: where CRIU may be, by which memory is kept: paths, or names to be found in the usual directories.
    public init(
        directory: String, networks: HostAddresses, runtimes: [OCIRuntime] = OCIRuntime.all,
        criu: [String] = ["criu"]
    ) {
        self.directory = directory
        self.networks = networks
        self.runtimes = runtimes
        keeper = MemoryKeeper(criu)
    }

    public func probe() async -> [IsolationFinding] {
        let groups = ControlGroups.current()
        var findings: [IsolationFinding] = []
        do throws(IsolationError) {
            _ = try await runtime(groups)
            findings.append(IsolationFinding("an OCI runtime"))
        } catch {
            findings.append(IsolationFinding("an OCI runtime", obstacle: "\(error)"))
        }
        findings.append(
            IsolationFinding(
                "limits of memory, processors and tasks",
                obstacle: groups.version == nil
                    ? "/sys/fs/cgroup cannot be written to; run versiond as root, or have a cgroup delegated to it"
                    : nil,
                isRequired: false))
        findings.append(
            IsolationFinding(
                "users of their own",
                obstacle: OwnerMapping.current().isSeparate
                    ? nil : "versiond has one user, who is then root inside, too; run versiond as root",
                isRequired: false))
        do throws(IsolationError) {
            _ = try await keeper.criu()
            findings.append(IsolationFinding("snapshots with memory", isRequired: false))
        } catch {
            findings.append(IsolationFinding("snapshots with memory", obstacle: "\(error)", isRequired: false))
        }
        findings.append(
            IsolationFinding("limits of disk space", obstacle: LimitedDisk.obstacle, isRequired: false))
        return findings
    }

    public func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError) {
        let place = place(of: specification)
        if keepsData { try await end(place) } else { try await destroy(specification.name) }
        try make(directory)
        if access(place.base, F_OK) != 0 { try Subvolume.makeDirectory(place.base) }
        // All that is there are places to mount at and configuration, which comes anew.
        try await layOut(specification, emptiesUpper: specification.hasReadOnlyRoot)
    }

    /// Also one with memory: then its files alone.
    public func restore(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) {
        let place = place(of: specification)
        let snapshot = ContainerSnapshot(directory)
        try await destroy(specification.name)
        try make(self.directory)
        _ = try await FileSnapshot.take(
            of: snapshot.hasMemory ? snapshot.files : directory, to: place.base, limit: FileSnapshot.limit)
        try await place.prune(specification.carriedPaths)
        try await layOut(specification, emptiesUpper: false)
    }

    public var keepsStopped: Bool { true }

    public func keep(_ name: String, into directory: String) async throws(IsolationError) -> SnapshotReport {
        let place = Place(self.directory, name)
        try await end(place)
        return try await place.keep([place.upperName, place.dataName], into: directory)
    }

    /// The addresses are the specification's: what was connected is closed. The host name stays the original's.
    public func revive(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let snapshot = ContainerSnapshot(directory)
        guard snapshot.hasMemory else { throw IsolationError("\(directory) has no memory of a container") }
        let criu = try await keeper.criu()
        let container = try await container(specification, runtimes: [.runc])
        guard container.isKeepable else { throw .cannot("keep memory", kind) }
        try await restore(specification, from: directory)
        return try await using(container) { () async throws(IsolationError) in
            try await container.restore(from: snapshot.memory, criu: criu)
        }
    }

    private func layOut(
        _ specification: EnvironmentSpecification, emptiesUpper: Bool
    ) async throws(IsolationError) {
        let owners = OwnerMapping.current()
        try specification.checkUser(kind, count: owners.isSeparate ? owners.count : 0)
        let place = place(of: specification)
        // What a container's root makes set-user-ID is root's outside: nobody else may come near it.
        guard chmod(place.base, 0o700) == 0 else { throw .system("protect \(place.base)") }
        try make(specification.runDirectory)
        try await place.layOut(
            [place.upperName, place.dataName], limit: specification.limits.diskBytes, emptiesUpper: emptiesUpper,
            owner: specification.user)
        try await removeTree(place.meeting)
    }

    public func create(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let container = try await container(specification, runtimes: nil)
        if container.isKeepable {
            return try await using(container) { () async throws(IsolationError) in
                try await container.create(listener: nil)
            }
        }
        let listener = try AgentSocket.listen(at: container.place.socket)
        // Before there is an agent: it ends when its last conversation does, and so with this process.
        let connection = try? await AgentConnection.open(container.place.agent)
        return try await using(container, connection) { () async throws(IsolationError) in
            // It alone has it afterwards: without an agent the conversation ends.
            defer { close(listener) }
            guard connection != nil else { throw IsolationError("nobody listens at \(container.place.socket)") }
            return try await container.create(listener: listener)
        }
    }

    /// What a specification is to be made with.
    ///
    /// - Parameter runtimes: those that may be taken; `nil`: as was configured.
    private func container(
        _ specification: EnvironmentSpecification, runtimes: [OCIRuntime]?
    ) async throws(IsolationError) -> OCIContainer {
        let groups = ControlGroups.current()
        let (runtime, program, view) = try await runtime(groups, among: runtimes)
        try check(specification.limits, groups)
        return OCIContainer(
            specification: specification, place: place(of: specification), runtime: runtime, program: program,
            view: view, groups: groups)
    }

    /// Makes a container, and a conversation with its agent.
    ///
    /// - Parameters:
    ///   - connection: if there is one already; `nil`: the agent makes its socket itself.
    ///   - body: makes the container; the process of its agent.
    private func using(
        _ container: OCIContainer, _ connection: AgentConnection? = nil,
        _ body: () async throws(IsolationError) -> pid_t
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let place = container.place
        let link = link(container.specification)
        var connection = connection
        do throws(IsolationError) {
            let pid = try await body()
            try place.process.record(pid)
            let conversation = if let connection { connection } else { try await place.connection() }
            connection = conversation
            if place.isKeepable { try place.openMeeting(false) }
            try await link.connect(processID: pid, record: place.link)
            return OCIEnvironment(connection: conversation, link: link, place: place, keeper: keeper)
        } catch {
            connection?.close()
            try? await end(place)
            throw error
        }
    }

    public func adopt(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> (any IsolationEnvironment)? {
        let place = place(of: specification)
        guard place.process.pid != nil else { return nil }
        if place.isKeepable { try await ContainerSnapshot.breakOff(place) }
        guard let connection = try await AgentConnection.open(place.containerAgent), await connection.hasStarted()
        else { return nil }
        return OCIEnvironment(connection: connection, link: link(specification), place: place, keeper: keeper)
    }

    public func names() async throws(IsolationError) -> Set<String> { Set(try namesOfFiles(in: directory)) }

    public func destroy(_ name: String) async throws(IsolationError) {
        let place = Place(directory, name)
        try await end(place)
        try await removeTree(place.base)
    }

    /// Ends what an earlier process has left running, and what its runtime has noted.
    private func end(_ place: Place) async throws(IsolationError) {
        try await RuntimeLock(file: place.runtimeLock).endHolders()
        await place.process.waitUntilGone(kills: true)
        try await place.link.removeLink()
        try await Cgroup(of: place).remove()
        try await place.limitedDisk.waitUntilReleased()
        try await removeTree(place.runtimeState)
    }

    /// The first runtime that is there and works.
    private func runtime(
        _ groups: ControlGroups, among candidates: [OCIRuntime]? = nil
    ) async throws(IsolationError) -> (runtime: OCIRuntime, program: String, view: String) {
        var runtimes = candidates ?? self.runtimes
        let keepers = runtimes.filter(\.keepsMemory)
        if keepers.count < runtimes.count, !keepers.isEmpty, (try? await keeper.criu()) != nil {
            runtimes = keepers + runtimes
        }
        for runtime in runtimes {
            if let path = runtime.path, let view = runtime.view(of: groups) { return (runtime, path, view) }
        }
        let names = runtimes.map(\.name).joined(separator: " or ")
        throw IsolationError("\(names) is missing; install the package" + (groups.version == nil ? " crun" : ""))
    }

    /// A limit that does not hold is worse than none.
    private func check(_ limits: ResourceLimits, _ groups: ControlGroups) throws(IsolationError) {
        let hasLimits = limits.memoryBytes != nil || limits.processors != nil || limits.tasks != nil
        if hasLimits, groups.version == nil { throw .cannot("limit memory, processors or tasks", kind) }
    }

    private func place(of specification: EnvironmentSpecification) -> Place { Place(directory, specification.name) }

    private func link(_ specification: EnvironmentSpecification) -> EnvironmentLink {
        EnvironmentLink(networks: networks, slot: specification.slot)
    }
}
