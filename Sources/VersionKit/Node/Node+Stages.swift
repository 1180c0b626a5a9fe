import Glibc
import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitReleases
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade

/// The work of each stage of an upgrade.
extension Node {
    func work(_ stage: UpgradeStage, _ id: ApplicationID, _ version: Version) async throws {
        guard let application = applications[id], let record = application.records[version] else { return }
        CrashPoint.reach("\(stage.title) of version \(version)")
        switch stage {
        case .download: try await download(application, version, from: record.origin)
        case .prepareFileSystem:
            try await waitForPromotion(id, version)
            try await waitForTrust(id, version)
            if applications[id]?.isAdmitted == false {
                try await waitForRoom(id, store.release(id, version).manifest)
            }
            if let predecessor = record.pipeline.predecessor {
                if record.pipeline.isInPlace { return try await changePlaces(id, from: predecessor, to: version) }
                await keepIfWanted(id, predecessor, .beforeUpgrade)
            }
            try await prepare(application, version, keepsData: false)
        case .createEnvironment: try await createEnvironment(application, version)
        case .copyToEnvironment: try await copyConfiguration(application, version)
        case .configureApplication: try await boot(id, version)
        case .running: try await startVersion(id, version)
        case .migrate: try await migrate(id, from: record.pipeline.predecessor, to: version)
        case .serve: try await serve(id, version, predecessor: record.pipeline.predecessor)
        case .retire: try await retire(id, record.pipeline.predecessor, inFavourOf: version)
        }
    }

    // MARK: Download to Running

    private func download(_ application: ManagedApplication, _ version: Version, from origin: Endpoint?) async throws {
        // Nothing is fetched in vain.
        if application.records[version]?.isGoingBack != true {
            try application.trustKeeper.checkBeginning(of: version, at: utcNow)
        }
        let manifest: ReleaseManifest
        if let origin {
            let fetcher = ReleaseFetcher(
                store: store, trust: application.trust, swarm: swarm, limits: transferLimits)
            let offered = try await fetcher.fetchManifest(version, from: origin)
            try checkBeginning(offered, of: application)
            try await waitForRoom(application.id, offered)
            manifest = try await fetcher.fetch(version, from: origin)
        } else {
            let release = try store.release(application.id, version)
            manifest = try application.trust.verify(
                manifestBytes: release.manifestBytes, signatureBytes: release.signatureBytes)
            try await waitForRoom(application.id, manifest)
        }
        // There may have been no room for days.
        try checkBeginning(manifest, of: application)
        change(application.id, version) { record in
            record.pipeline.use(manifest.method)
            (record.migration, record.lastMigration) = (nil, nil)
        }
    }

    /// What a version's environment is called on this node.
    func environmentName(_ id: ApplicationID, _ version: Version) -> String { "\(id)-\(version)" }

    func specification(
        _ application: ManagedApplication, _ version: Version, layers: [String] = []
    ) -> EnvironmentSpecification {
        EnvironmentSpecification(
            name: environmentName(application.id, version), layers: layers,
            slot: application.records[version]?.slot ?? 0,
            runDirectory: runDirectory(application.id, version),
            tools: EnvironmentTools(
                versionctl: installation.versionctl, runtime: installation.runtime, agent: installation.agent),
            limits: application.settings.limits ?? ResourceLimits())
    }

    func specification(
        _ application: ManagedApplication, _ version: Version
    ) async throws -> (EnvironmentSpecification, ReleaseManifest) {
        let manifest = try store.release(application.id, version).manifest
        CrashPoint.reach("unpacking")
        let layers = try await store.unpack(manifest, runner: ProcessCommandRunner())
        // An overlay's topmost layer comes first, a manifest's lowest.
        var specification = specification(application, version, layers: layers.reversed())
        specification.dataPath = manifest.dataPath
        specification.user = manifest.startSettings?.user
        specification.limits = application.limits(for: manifest)
        return (specification, manifest)
    }

    private func prepare(_ application: ManagedApplication, _ version: Version, keepsData: Bool) async throws {
        let (specification, manifest) = try await specification(application, version)
        if !keepsData { try await chooseIsolation(application.id, manifest) }
        CrashPoint.reach("laying out version \(version)")
        try await backend(application.id, version).prepare(specification, keepsData: keepsData)
    }

    func createEnvironment(_ application: ManagedApplication, _ version: Version) async throws {
        let (specification, manifest) = try await specification(application, version)
        let environment = try await backend(application.id, version).create(specification)
        CrashPoint.reach("attaching version \(version)")
        try await attach(environment, manifest, application.id, version)
        try await updateRouting()
    }

    /// Has an environment's programs register ports, by a new socket or by one that exists.
    func attach(
        _ environment: any IsolationEnvironment, _ manifest: ReleaseManifest, _ id: ApplicationID, _ version: Version,
        registrar socket: InheritedDescriptor? = nil
    ) async throws {
        // A machine that shares no directory with the node has none made for it.
        let directory = runDirectory(id, version)
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw SystemError("make \(directory)") }
        let registrar = try await ControlServer(path: "\(directory)/registrar.sock", resuming: socket, group: group)
        let registration = Task {
            try await registrar.run { request in await self.answerFromInside(request, id, version) }
        }
        applications[id]?.endedWhileStarting[version] = nil
        let number = (applications[id]?.attached ?? 0) + 1
        applications[id]?.attached = number
        applications[id]?.running[version] = RunningVersion(
            number: number, environment: environment, manifest: manifest, socket: registrar,
            registrar: registration)
    }

    private func runDirectory(_ id: ApplicationID, _ version: Version) -> String {
        "\(configuration.state)/run/\(id)-\(version)"
    }

    func running(_ id: ApplicationID, _ version: Version) throws -> RunningVersion {
        guard let running = applications[id]?.running[version] else {
            throw NodeError("the environment of version \(version) of \(id) is gone")
        }
        return running
    }

    private func copyConfiguration(_ application: ManagedApplication, _ version: Version) async throws {
        let running = try running(application.id, version)
        guard let source = application.settings.configuration, let target = running.manifest.configurationPath else {
            return
        }
        try await running.environment.copyIn(source, to: target)
    }

    /// The environment's boot registers the ports of the application's own protocol (R7).
    private func boot(_ id: ApplicationID, _ version: Version) async throws {
        let running = try running(id, version)
        let ports = running.manifest.ports.peer
        guard !ports.isEmpty else { return }
        guard running.environment.seesRunDirectory else {
            // Nobody inside could: it is done on its behalf.
            let answer = await answerFromInside(.register(ports: ports), id, version)
            if case .refused(let reason) = answer { throw NodeError(reason) }
            return
        }
        try await running.environment.run([EnvironmentTools.versionctlInside, "register"] + ports.map(\.description))
    }

    private func startVersion(_ id: ApplicationID, _ version: Version) async throws {
        let running = try running(id, version)
        let manifest = running.manifest
        try await running.environment.start(
            VersionStart(manifest.start, settings: manifest.startSettings, dataPath: manifest.dataPath))
        CrashPoint.reach("waiting for version \(version)")
        watch(id, version, running.environment)
        try await waitUntilHealthy(id, version)
    }

    /// From an environment to a version that is healthy.
    func configureAndStart(_ id: ApplicationID, _ version: Version) async throws {
        guard let application = applications[id] else { return }
        try await copyConfiguration(application, version)
        try await boot(id, version)
        try await startVersion(id, version)
    }

    /// The same for a version that goes on out of a snapshot with its memory.
    func goOn(_ id: ApplicationID, _ version: Version) async throws {
        try await boot(id, version)
        try await waitUntilHealthy(id, version)
    }

    /// Hears of the version's end.
    func watch(_ id: ApplicationID, _ version: Version, _ environment: any IsolationEnvironment) {
        Task {
            guard let code = await environment.exit() else { return }
            let output = environment.logTail().split(separator: "\n").last.map { ": \($0)" } ?? ""
            await self.versionExited(id, version, reason: "it exited with code \(code)\(output)")
        }
    }

    // MARK: Serve and Retire

    /// Has an application's clients served by all versions that have its state, by the proxy of this version's release.
    ///
    /// A version that is down for a moment stays in the list: writes fail until it is back, rather than being done on
    /// the others alone, and lost if it is the one that remains. As long as one of them was not started yet, clients
    /// wait.
    func updateProxy(_ id: ApplicationID, program version: Version? = nil) async throws {
        guard let application = applications[id] else { return }
        var table = VersionTable(generation: application.generation + 1)
        for record in application.records.values where record.isLogged {
            let replaying = application.replaying.flatMap { $0.version == record.version ? $0.role : nil }
            table.versions.insert(record.version, role: replaying ?? .logged)
            table.endpoints[record.version] = replaying.flatMap { _ in application.clientEndpoints[record.version] }
        }
        if let leaving = application.leaving {
            table.versions.insert(leaving, role: .writesOnly)
            table.endpoints[leaving] = application.clientEndpoints[leaving]
        }
        for record in application.records.values where record.takesWrites && !application.isReplaced(record) {
            guard let endpoint = application.clientEndpoints[record.version] else { return }
            table.versions.insert(record.version, role: record.role)
            if record.isGoingBack { table.versions.leaving = record.pipeline.predecessor }
            table.endpoints[record.version] = endpoint
        }
        applications[id]?.generation = table.generation
        let wanted = ports(of: application, table.versions)
        CrashPoint.reach("the proxy's versions \(table.versions)")
        // What a version has that is just started again is not known.
        let isAll = table.versions.present.allSatisfy { application.running[$0] != nil }
        guard let version else {
            try await application.proxy?.update(table, closingUnless: isAll ? wanted : nil)
            return
        }
        let manifest = try running(id, version).manifest
        guard let command = manifest.proxy, manifest.ports.main != nil else { return }
        let program = ProxySupervisor.Program(
            version: version, path: try store.file(command[0], of: manifest), arguments: Array(command.dropFirst()),
            log: "\(configuration.state)/log/\(id)-proxy.log", state: proxyState(id),
            rate: migrationRate(id, manifest))
        let supervisor: ProxySupervisor
        if let existing = application.proxy {
            supervisor = existing
        } else {
            supervisor = makeSupervisor(id)
            applications[id]?.proxy = supervisor
        }
        try await supervisor.serve(with: program, table, on: wanted, closesOthers: isAll)
    }

    /// The directory in which an application's proxies keep what versions miss.
    func proxyState(_ id: ApplicationID) -> String { "\(configuration.state)/missed/\(id)" }

    func makeSupervisor(_ id: ApplicationID) -> ProxySupervisor {
        let directory = "\(configuration.sockets ?? configuration.state + "/sockets")/\(id)"
        return ProxySupervisor(
            ClientPorts(addresses: configuration.address, directory: directory), logger: logger
        ) { version, reason in
            Task { await self.logFailed(id, version, reason) }
        }
    }

    /// The ports by which clients may come to any of these versions; of two that lead elsewhere the newest one's counts.
    private func ports(of application: ManagedApplication, _ versions: VersionList) -> [ClientPorts.Wanted] {
        versions.sorted().flatMap { version -> [ClientPorts.Wanted] in
            guard let ports = application.running[version]?.manifest.ports else { return [] }
            return ports.client.map { port in
                ClientPorts.Wanted(port: port, versionPort: port.versionPort == ports.main ? nil : port.versionPort)
            }
        }
    }

    private func serve(_ id: ApplicationID, _ version: Version, predecessor: Version?) async throws {
        applications[id]?.isAdmitted = false
        // The pipeline is in this stage already, so peers hear of the version from now on.
        try await updateRouting()
        try await updateProxy(id, program: max(version, predecessor ?? version))
        note("version \(version) of \(id) serves")
        guard applications[id]?.records[version]?.pipeline.isInPlace == false else { return }
        try await watchUntilPromoted(id, version)
        guard let predecessor else { return }
        try await waitUntilUnused(id, predecessor, since: version)
    }

    private func retire(_ id: ApplicationID, _ predecessor: Version?, inFavourOf successor: Version) async throws {
        guard let predecessor else { return }
        if try await !keepForReplay(id, predecessor, replacedBy: successor) {
            await keepIfWanted(id, predecessor, .beforeRetirement)
        }
        endLogs(of: id, butOf: predecessor)
        let reason = objection(to: predecessor, of: id)
        change(id, predecessor) { record in
            (record.isRetired, record.isStopped, record.isDismissed) = (true, nil, nil)
            guard let reason, !record.pipeline.isUndone else { return }
            record.pipeline.withdraw(reason: reason)
            _ = record.pipeline.removed()
        }
        // What was found bad leaves nothing behind, its proxy neither.
        try await updateProxy(id, program: successor < predecessor ? successor : nil)
        await end(id, predecessor, teardown: .standard)
        note("version \(predecessor) of \(id) retired")
    }

    // MARK: Ending and starting again

    /// Stops a version and removes everything of it.
    func end(_ id: ApplicationID, _ version: Version, teardown: Teardown) async {
        guard applications[id] != nil else { return }
        await halt(id, version, teardown: teardown)
        CrashPoint.reach("removing version \(version)")
        do {
            try await backend(id, version).destroy(environmentName(id, version))
        } catch {
            note("the data of version \(version) of \(id) could not be removed: \(error)", level: .error)
        }
    }

    /// Stops a version; its files stay.
    func halt(_ id: ApplicationID, _ version: Version, teardown: Teardown) async {
        let running = applications[id]?.running.removeValue(forKey: version)
        // A version that is only started again keeps its ports meanwhile.
        registry.end(PortRegistry.Holder(id, version))
        registryChanged()
        do {
            try await updateRouting()
        } catch {
            note("routing could not be changed: \(error)", level: .error)
        }
        CrashPoint.reach("stopping version \(version)")
        await running?.environment.stop(teardown)
        running?.registrar.cancel()
    }

    /// What failed, or was rolled back, goes: first clients leave it, then peers, then it ends.
    func takeAway(_ id: ApplicationID, _ version: Version) async {
        if let predecessor = applications[id]?.records[version]?.pipeline.predecessor {
            change(id, predecessor) { ($0.isDraining, $0.isDismissed) = (false, nil) }
        }
        do {
            try await updateProxy(id)
        } catch {
            note("the proxy of \(id) could not be told of its versions: \(error)", level: .error)
        }
        await end(id, version, teardown: .immediate)
        if let predecessor = applications[id]?.records[version]?.pipeline.predecessor {
            await startAgainIfStopped(id, predecessor)
        }
    }

    /// Starts a version that serves again, with the data it has, until it runs.
    func restart(_ id: ApplicationID, _ version: Version) async {
        applications[id]?.starting.insert(version)
        defer { applications[id]?.starting.remove(version) }
        var delay = Duration.milliseconds(200)
        while !isEnding, let application = applications[id], application.records[version]?.isGone == false {
            do {
                try await finishPuttingBack(id, version)
                if try await adopt(application, version) {
                    try await waitUntilHealthy(id, version)
                } else {
                    try await prepare(application, version, keepsData: true)
                    try await createEnvironment(application, version)
                    try await configureAndStart(id, version)
                }
                // A version that is being filled brought its proxy already.
                let writing = applications[id]?.records.values.filter(\.takesWrites).map(\.version).max()
                try await updateProxy(id, program: writing ?? version)
                try throwIfEnded(id, version)
                note("version \(version) of \(id) runs again")
                return
            } catch {
                note("version \(version) of \(id) could not be started again: \(error)", level: .error)
                let failed = applications[id]?.running.removeValue(forKey: version)
                failed?.registrar.cancel()
                await failed?.environment.stop(.immediate)
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(10))
            }
        }
    }
}
