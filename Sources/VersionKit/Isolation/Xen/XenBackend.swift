import Glibc
public import VersionKitModel

/// Environments that are Xen domains, each with a kernel of its own. The node runs in dom0, as root.
///
/// A domain has virtual disks and one network interface, on a bridge with nothing else. Its layers must hold a whole root
/// file system, or programs that need none: nothing of the node's is visible inside, and so
/// ``EnvironmentSpecification/runDirectory`` is not either.
public struct XenBackend: IsolationBackend {
    private static let bootPollPeriod = Duration.milliseconds(100)
    /// How long the agent of a domain that runs may take to answer.
    private static let answerLimit = Duration.seconds(10)

    /// Where the environments' disks are, one directory each.
    private let directory: String
    /// The networks that the environments' addresses are out of, four of each to an environment.
    private let networks: HostAddresses
    private let settings: XenSettings

    public var kind: IsolationKind { .xen }

    /// A backend.
    ///
    /// - Parameters:
    ///   - directory: where the environments' disks go; made if it does not exist.
    ///   - networks: for each kind of address that environments are to have, the first address of a network that is used
    ///     nowhere else on this node: a /16 of IPv4, a /64 of IPv6.
    public init(directory: String, networks: HostAddresses, settings: XenSettings) {
        self.directory = directory
        self.networks = networks
        self.settings = settings
    }

    public func probe() async -> [IsolationFinding] {
        var toolstack = IsolationFinding("the toolstack of Xen")
        do throws(IsolationError) { _ = try await XenDomain.names() } catch {
            toolstack.obstacle = "\(error); run versiond in dom0 of a Xen host, as root"
        }
        let files = [("a kernel for domains", settings.kernel), ("a ramdisk for domains", settings.ramdisk)]
        return [toolstack]
            + files.map { what, path in
                let isThere = access(path, R_OK) == 0
                return IsolationFinding(what, obstacle: isThere ? nil : "there is no \(path); make it or name another")
            }
    }

    public func prepare(_ specification: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError) {
        let place = place(specification.name)
        if keepsData { try await end(place, specification.name) } else { try await destroy(specification.name) }
        try await lay(specification, at: place)
        try await makeMissing(specification, at: place)
    }

    public func restore(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) {
        let place = place(specification.name)
        try await destroy(specification.name)
        try await lay(specification, at: place)
        try await XenDisks.copyWritten(XenPlace(base: directory), to: place)
        try await makeMissing(specification, at: place)
    }

    public func create(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> any IsolationEnvironment {
        try await create(specification, layers: specification.layers.count, memory: nil)
    }

    /// The machine of the snapshot goes on, with its disks. It has its addresses in its memory, so it must be of the same
    /// slot, and of the same limits; the environment that it was taken of must be gone.
    public func revive(
        _ specification: EnvironmentSpecification, from directory: String
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let place = place(specification.name)
        let snapshot = XenPlace(base: directory)
        guard noted(in: snapshot.slot) == "\(specification.slot)" else {
            throw IsolationError(
                "\(directory) has no memory of a domain in slot \(specification.slot): it can go on in its own slot only"
            )
        }
        try await destroy(specification.name)
        try makeDirectories(place)
        let disks = try snapshot.readOnlyDisks()
        for name in disks { try await XenDisks.share("\(directory)/\(name)", at: "\(place.base)/\(name)") }
        try await XenDisks.copyWritten(snapshot, to: place)
        return try await create(specification, layers: disks.count - 1, memory: snapshot.memory)
    }

    private func create(
        _ specification: EnvironmentSpecification, layers: Int, memory: String?
    ) async throws(IsolationError) -> any IsolationEnvironment {
        let place = place(specification.name)
        let link = link(specification.slot)
        let machine = try XenMachine(specification, layers: layers, link: link, place: place, settings: settings)
        try note("\(specification.slot)", in: place.slot)
        try await link.makeBridge()
        do throws(IsolationError) {
            let domain = try await XenDomain.create(machine, memory: memory)
            try await domain.unpause()
            let connection = try await agent(of: domain, at: link, log: log(specification.name))
            if memory != nil { _ = await connection.hasStarted() }
            return environment(specification, connection, domain)
        } catch {
            try? await end(place, specification.name)
            throw error
        }
    }

    /// Waits until the guest has booted and its agent answers.
    private func agent(
        of domain: XenDomain, at link: EnvironmentLink, log: String
    ) async throws(IsolationError) -> AgentConnection {
        let clock = ContinuousClock()
        let limit = Duration.seconds(settings.bootSeconds ?? XenSettings.bootSecondsDefault)
        let deadline = clock.now + limit
        while clock.now < deadline {
            if let connection = try await AgentConnection.open(link.agent) {
                domain.watch(connection)
                return connection
            }
            guard let state = try await domain.state(), !state.isEnded else {
                throw IsolationError("the domain ended while it booted; it says why in \(log)")
            }
            try? await clock.sleep(for: Self.bootPollPeriod)
        }
        throw IsolationError("the domain did not boot within \(limit); it may say why in \(log)")
    }

    public func adopt(
        _ specification: EnvironmentSpecification
    ) async throws(IsolationError) -> (any IsolationEnvironment)? {
        guard let domain = try await XenDomain.find(XenMachine.name(specification.name, settings)),
            let state = try await domain.state(), !state.isEnded
        else { return nil }
        // Its node ended while it stood still.
        if state.isSaved { try await domain.resume() }
        if state.isPaused { try await domain.unpause() }
        let link = link(specification.slot)
        guard let connection = try await AgentConnection.open(link.agent) else { return nil }
        domain.watch(connection)
        // A guest that hangs is none that goes on.
        let limit = Task {
            try await Task.sleep(for: Self.answerLimit)
            connection.lose()
        }
        defer { limit.cancel() }
        guard await connection.hasStarted() else { return nil }
        return environment(specification, connection, domain)
    }

    /// A domain has its directory from before it is made until after it is gone.
    public func names() async throws(IsolationError) -> Set<String> { Set(try namesOfFiles(in: directory)) }

    public func destroy(_ name: String) async throws(IsolationError) {
        let place = place(name)
        try await end(place, name)
        try await removeTree(place.base)
        unlink(log(name))
    }

    /// Ends the domain of this name, if there is one, with its link.
    private func end(_ place: XenPlace, _ name: String) async throws(IsolationError) {
        if let domain = try await XenDomain.find(XenMachine.name(name, settings)) { try await domain.destroy() }
        if let slot = noted(in: place.slot).flatMap({ Int($0) }) {
            try await link(slot).remove()
            unlink(place.slot)
        }
    }

    /// Makes the disks that are only read.
    private func lay(_ specification: EnvironmentSpecification, at place: XenPlace) async throws(IsolationError) {
        try makeDirectories(place)
        for (index, layer) in specification.layers.enumerated() {
            try await XenDisks.make(place.layer(index), of: layer)
        }
        try await removeTree(place.scratch)
        try make(place.scratch)
        // Without versionctl: it would have nobody to talk to.
        try await execute("cp", ["--dereference", specification.tools.agent, place.scratch])
        try await XenDisks.make(place.tools, of: place.scratch)
        try await removeTree(place.scratch)
    }

    /// Makes the disks that are written to, as far as there are none from before. Two of them share the limit.
    private func makeMissing(
        _ specification: EnvironmentSpecification, at place: XenPlace
    ) async throws(IsolationError) {
        let disks = [place.data] + (specification.dataPath == nil ? [] : [place.state])
        let bytes =
            specification.limits.diskBytes.map { $0 / UInt64(disks.count) } ?? settings.diskBytes
            ?? XenSettings.diskBytesDefault
        for disk in disks where access(disk, F_OK) != 0 { try await XenDisks.makeEmpty(disk, bytes: bytes) }
    }

    private func makeDirectories(_ place: XenPlace) throws(IsolationError) {
        try make(directory)
        try make(place.base)
    }

    private func environment(
        _ specification: EnvironmentSpecification, _ connection: AgentConnection, _ domain: XenDomain
    ) -> XenEnvironment {
        XenEnvironment(
            connection: connection, domain: domain, link: link(specification.slot), place: place(specification.name),
            log: log(specification.name))
    }

    private func link(_ slot: Int) -> EnvironmentLink { EnvironmentLink(networks: networks, slot: slot) }

    private func place(_ name: String) -> XenPlace { XenPlace(base: "\(directory)/\(name)") }

    private func log(_ name: String) -> String {
        "\(settings.consoleLogs ?? XenSettings.consoleLogsDefault)/guest-\(XenMachine.name(name, settings)).log"
    }

    private func note(_ text: String, in file: String) throws(IsolationError) {
        guard let stream = fopen(file, "we") else { throw .system("make \(file)") }
        fputs(text, stream)
        guard fclose(stream) == 0 else { throw .system("write \(file)") }
    }

    private func noted(in file: String) -> String? {
        guard let stream = fopen(file, "re") else { return nil }
        defer { fclose(stream) }
        var buffer = [UInt8](repeating: 0, count: 64)
        return String(decoding: buffer[..<fread(&buffer, 1, buffer.count, stream)], as: UTF8.self)
    }
}
