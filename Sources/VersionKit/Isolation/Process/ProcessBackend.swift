import Glibc
public import VersionKitModel
import VersionKitReleases

/// Environments without isolation, for development: a version runs as processes of the node itself, without root.
///
/// Its layers are copied to a directory of its own, and what it is told to run is looked for there first. Its programs find
/// that directory in `VERSIONKIT_ROOT`, start in it, and have to bind the address in `VERSIONKIT_ADDRESS`, an address of
/// the loopback that no other environment has: whoever binds all addresses is in the others' way. It sees the node's files
/// and processes, and everything on the node sees its.
///
/// What is missing for macOS: its loopback has one address only until others are added (`ifconfig lo0 alias`, as root);
/// there is neither a child subreaper nor `/proc`, so orphans would have to be found by their process group or by a
/// debugger's calls; nor is there anything like a control group.
public struct ProcessBackend: IsolationBackend {
    /// Where the environments' data are, one directory each.
    private let directory: String
    private let sockets: (any SocketKeeper)?

    public var kind: IsolationKind { .process }

    /// A backend.
    ///
    /// - Parameter directory: where the environments' data go; made if it does not exist.
    public init(directory: String) {
        self.directory = directory
        sockets = nil
    }

    /// The same, whose versions may bind all addresses: they get their own.
    package init(directory: String, sockets: (any SocketKeeper)?) {
        self.directory = directory
        self.sockets = sockets
    }

    public func probe() async -> [IsolationFinding] {
        let remedy = "this kind is for development; use namespaces, oci or uml"
        return [
            IsolationFinding("copies of files, and processes"),
            IsolationFinding("limits of memory, processors and tasks", obstacle: Cgroup.obstacle, isRequired: false),
            IsolationFinding("an address for each version's sockets", obstacle: collision, isRequired: false),
            IsolationFinding(
                "limits of disk space", obstacle: "files are the node's own; \(remedy)", isRequired: false),
            IsolationFinding(
                "a network for each version", obstacle: "versions share the node's; \(remedy)", isRequired: false),
            IsolationFinding(
                "files out of other versions' reach", obstacle: "all run as the node's user; \(remedy)",
                isRequired: false),
            IsolationFinding(
                "processes out of other versions' sight", obstacle: "all are the node's; \(remedy)", isRequired: false),
        ]
    }

    private var collision: String? {
        guard sockets == nil else { return nil }
        return """
            one that binds all addresses instead of VERSIONKIT_ADDRESS collides with the next, and peers cannot tell what \
            it sends from other versions'; versiond's log says what is missing, and docs/kernel-path.md what it needs
            """
    }

    public func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError) {
        if specification.limits.diskBytes != nil { throw .cannot("limit disk space", kind) }
        let place = place(of: specification)
        if keepsData { try await end(place) } else { try await destroy(specification.name) }
        for path in [directory, specification.runDirectory] { try make(path) }
        if access(place.base, F_OK) != 0 { try Subvolume.makeDirectory(place.base) }
        if access(place.root, F_OK) != 0 { try await layOut(specification, at: place.root) }
        try link(specification, place)
    }

    public func restore(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) {
        let place = place(of: specification)
        try await destroy(specification.name)
        for path in [self.directory, specification.runDirectory] { try make(path) }
        _ = try await FileSnapshot.take(of: directory, to: place.base, limit: FileSnapshot.limit)
        try link(specification, place)
    }

    /// Copies the layers, the lowest first. All of them, or there is nothing.
    private func layOut(_ specification: EnvironmentSpecification, at root: String) async throws(IsolationError) {
        let unfinished = root + ".unfinished"
        try await removeTree(unfinished)
        try make(unfinished)
        for layer in specification.layers.reversed() {
            // A layer's link must not lead what the next one has at its place out of here.
            try onDisk { () throws(ReleaseError) in try Whiteouts.apply(layer, to: unfinished, isCopied: false) }
            try await execute("cp", ["-a", "--reflink=auto", "--remove-destination", layer + "/.", unfinished])
            try onDisk { () throws(ReleaseError) in try Whiteouts.apply(layer, to: unfinished, isCopied: true) }
        }
        guard rename(unfinished, root) == 0 else { throw .system("make \(root)") }
    }

    /// What other kinds of environments have mounted.
    private func link(_ specification: EnvironmentSpecification, _ place: Place) throws(IsolationError) {
        for path in ["/run", "/run/tools"] { try make(place.root + path) }
        for (path, target) in [
            ("/run/versionkit", specification.runDirectory),
            (EnvironmentTools.versionctlInside, specification.tools.versionctl),
        ] {
            // One of the environment that this is a copy of leads there.
            unlink(place.root + path)
            guard symlink(target, place.root + path) == 0 else { throw .system("link \(place.root + path)") }
        }
    }

    public func create(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let place = place(of: specification)
        let address = try address(of: specification)
        // Before anybody waits for an agent that there will not be.
        try Cgroup(of: place).make(specification.limits)
        let listener = try AgentSocket.listen(at: place.socket)
        // Before there is an agent: it ends when its last conversation does, and so with this process.
        guard let connection = try await AgentConnection.open(place.agent) else {
            throw IsolationError("nobody listens at \(place.socket)")
        }
        let environment = ProcessEnvironment(connection: connection, addresses: HostAddresses(address), place: place)
        do throws(IsolationError) {
            var arguments = ["process", "root=\(place.root)", "VERSIONKIT_ADDRESS=\(address)"]
            if let runtime = specification.tools.runtime { arguments.append("runtime=\(runtime)") }
            try keepSockets(of: place, at: address)
            let pid = try await place.startAgent(specification.tools.agent, arguments, listener: listener)
            try place.process.record(pid)
            try Cgroup(of: place).add(pid)
        } catch {
            await environment.stop(.immediate)
            throw error
        }
        return environment
    }

    public func adopt(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> (any IsolationEnvironment)? {
        let place = place(of: specification)
        guard place.process.pid != nil, let connection = try await AgentConnection.open(place.agent),
            await connection.hasStarted()
        else { return nil }
        let address = try address(of: specification)
        // The one before may have had other programs, or none.
        try keepSockets(of: place, at: address)
        return ProcessEnvironment(connection: connection, addresses: HostAddresses(address), place: place)
    }

    private func keepSockets(of place: Place, at address: IPAddress) throws(IsolationError) {
        guard let sockets, let group = try Cgroup(of: place).makeUnified() else { return }
        try sockets.keep(group, at: address)
    }

    public func names() async throws(IsolationError) -> Set<String> { Set(try namesOfFiles(in: directory)) }

    public func destroy(_ name: String) async throws(IsolationError) {
        let place = Place(directory, name)
        try await end(place)
        try await removeTree(place.base)
    }

    /// Ends what an earlier process has left running.
    private func end(_ place: Place) async throws(IsolationError) {
        await Leftovers(of: place).end()
        try await Cgroup(of: place).remove()
    }

    private func place(of specification: EnvironmentSpecification) -> Place { Place(directory, specification.name) }

    /// A version's address: 127.77.0.0/16 has one for each slot.
    private func address(of specification: EnvironmentSpecification) throws(IsolationError) -> IPAddress {
        guard (0..<0xFFFF).contains(specification.slot) else {
            throw IsolationError("there is no address for environment number \(specification.slot)")
        }
        return IPAddress(v4: 127 << 24 | 77 << 16).advanced(by: specification.slot)
    }
}
