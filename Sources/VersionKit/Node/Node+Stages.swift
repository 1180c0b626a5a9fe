import Logging
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
        switch stage {
        case .download: try await download(application, version, from: record.origin)
        case .prepareFileSystem: try await prepare(application, version, keepsData: false)
        case .createEnvironment: try await createEnvironment(application, version)
        case .copyToEnvironment: try await copyConfiguration(application, version)
        case .configureApplication: try await boot(id, version)
        case .running: try await startVersion(id, version)
        case .migrate: try await migrate(id, from: record.pipeline.predecessor, to: version)
        case .serve: try await serve(id, version, predecessor: record.pipeline.predecessor)
        case .retire: try await retire(id, record.pipeline.predecessor)
        }
    }

    // MARK: Download to Running

    private func download(_ application: ManagedApplication, _ version: Version, from origin: Endpoint?) async throws {
        let manifest: ReleaseManifest
        if let origin {
            let fetcher = ReleaseFetcher(store: store, trust: application.trust)
            manifest = try await fetcher.fetch(version, from: origin)
        } else {
            let release = try store.release(application.id, version)
            manifest = try application.trust.verify(
                manifestBytes: release.manifestBytes, signatureBytes: release.signatureBytes)
        }
        let older = application.records.values.filter {
            $0.version != version && !$0.isRetired && !$0.pipeline.isUndone
        }
        try application.trust.acceptance(
            of: manifest, current: older.map(\.version).max(), requested: .advertised)
    }

    private func specification(
        _ application: ManagedApplication, _ version: Version, layers: [String]
    ) -> EnvironmentSpecification {
        let name = "\(application.id)-\(version)"
        return EnvironmentSpecification(
            name: name, layers: layers, slot: application.records[version]?.slot ?? 0,
            runDirectory: "\(configuration.state)/run/\(name)",
            tools: EnvironmentTools(versionctl: installation.versionctl, runtime: installation.runtime))
    }

    private func specification(
        _ application: ManagedApplication, _ version: Version
    ) async throws -> (EnvironmentSpecification, ReleaseManifest) {
        let manifest = try store.release(application.id, version).manifest
        let layers = try await store.unpack(manifest, runner: ProcessCommandRunner())
        // An overlay's topmost layer comes first, a manifest's lowest.
        return (specification(application, version, layers: layers.reversed()), manifest)
    }

    private func prepare(_ application: ManagedApplication, _ version: Version, keepsData: Bool) async throws {
        let (specification, _) = try await specification(application, version)
        try await backend.prepare(specification, keepsData: keepsData)
    }

    private func createEnvironment(_ application: ManagedApplication, _ version: Version) async throws {
        let (specification, manifest) = try await specification(application, version)
        let environment = try await backend.create(specification)
        let registrar = try await ControlServer(path: specification.runDirectory + "/registrar.sock", group: group)
        let id = application.id
        let registration = Task {
            try await registrar.run { request in await self.answerFromInside(request, id, version) }
        }
        applications[id]?.running[version] = RunningVersion(
            environment: environment, manifest: manifest, registrar: registration)
        try await updateRouting()
    }

    private func running(_ id: ApplicationID, _ version: Version) throws -> RunningVersion {
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
        try await running.environment.run([EnvironmentTools.versionctlInside, "register"] + ports.map(String.init))
    }

    private func startVersion(_ id: ApplicationID, _ version: Version) async throws {
        let running = try running(id, version)
        let environment = running.environment
        try await environment.start(running.manifest.start)
        Task {
            guard let code = await environment.exit() else { return }
            let output = environment.logTail().split(separator: "\n").last.map { ": \($0)" } ?? ""
            await self.versionExited(id, version, reason: "it exited with code \(code)\(output)")
        }
        let check = running.manifest.healthCheck
        try await HealthCheck.wait(for: Endpoint(address: environment.address, port: check.port), check: check)
        if let port = running.manifest.ports.main {
            applications[id]?.clientEndpoints[version] = Endpoint(address: environment.address, port: port)
        }
    }

    // MARK: Migrate to Retire

    private func migrate(_ id: ApplicationID, from predecessor: Version?, to version: Version) async throws {
        // From here on clients write to both versions, so that nothing is missed while the old state is copied.
        try await updateProxy(id, program: version)
        guard let predecessor else { return }
        let manifest = try running(id, version).manifest
        guard let command = manifest.migrator else { return try await waitUntilFilled(id, version) }
        let program = try store.file(command[0], of: manifest)
        let ends = try [predecessor, version].map { end in
            guard let endpoint = applications[id]?.clientEndpoints[end] else {
                throw NodeError("version \(end) of \(id) has no port for clients")
            }
            return "\(end)=\(endpoint)"
        }
        let result = try await Command.run(program, command.dropFirst() + ends)
        let lines = result.output.split(separator: "\n")
        applications[id]?.migrations[version] = lines.compactMap { MigrationProgress(line: $0) }.last
        guard result.exit.isSuccess else {
            throw NodeError("the migrator ended with \(result.exit): \(lines.last ?? "")")
        }
    }

    /// The proxy itself copies an application's state key by key, if its adapter knows keys.
    private func waitUntilFilled(_ id: ApplicationID, _ version: Version) async throws {
        try await applications[id]?.proxy?.waitUntilUpToDate(version) { writes in
            await self.noteMigration(
                id, version,
                MigrationProgress(
                    examined: writes.examined[version, default: 0], copied: writes.copied[version, default: 0]))
        }
    }

    private func noteMigration(_ id: ApplicationID, _ version: Version, _ progress: MigrationProgress) {
        applications[id]?.migrations[version] = progress
    }

    /// Has an application's clients served by all versions that have its state, by the proxy of this version's release.
    ///
    /// A version that is down for a moment stays in the list: writes fail until it is back, rather than being done on
    /// the others alone, and lost if it is the one that remains. As long as one of them was not started yet, clients
    /// wait.
    func updateProxy(_ id: ApplicationID, program version: Version? = nil) async throws {
        guard let application = applications[id] else { return }
        var table = VersionTable(generation: application.generation + 1)
        for record in application.records.values where record.takesWrites {
            guard let endpoint = application.clientEndpoints[record.version] else { return }
            table.versions.insert(record.version, role: record.role)
            table.endpoints[record.version] = endpoint
        }
        applications[id]?.generation = table.generation
        guard let version else {
            try await application.proxy?.update(table)
            return
        }
        let manifest = try running(id, version).manifest
        guard let command = manifest.proxy, manifest.ports.main != nil else { return }
        let program = ProxySupervisor.Program(
            version: version, path: try store.file(command[0], of: manifest), arguments: Array(command.dropFirst()),
            log: "\(configuration.state)/log/\(id)-proxy.log", state: "\(configuration.state)/missed/\(id)")
        let supervisor: ProxySupervisor
        if let existing = application.proxy {
            supervisor = existing
        } else {
            let directory = "\(configuration.sockets ?? configuration.state + "/sockets")/\(id)"
            supervisor = ProxySupervisor(
                ClientPorts(address: configuration.address, directory: directory), logger: logger)
            applications[id]?.proxy = supervisor
        }
        try await supervisor.serve(with: program, table, on: ports(of: application, table.versions))
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
        // The pipeline is in this stage already, so peers hear of the version from now on.
        try await updateRouting()
        try await updateProxy(id, program: version)
        note("version \(version) of \(id) serves")
        guard let predecessor else { return }
        try await waitUntilUnused(id, predecessor, since: version)
    }

    private func retire(_ id: ApplicationID, _ predecessor: Version?) async throws {
        guard let predecessor else { return }
        change(id, predecessor) { $0.isRetired = true }
        try await updateProxy(id)
        await end(id, predecessor, teardown: .standard)
        note("version \(predecessor) of \(id) retired")
    }

    // MARK: Ending and starting again

    /// Stops a version and removes everything of it.
    private func end(_ id: ApplicationID, _ version: Version, teardown: Teardown) async {
        guard let application = applications[id] else { return }
        let running = applications[id]?.running.removeValue(forKey: version)
        do {
            try await updateRouting()
        } catch {
            note("routing could not be changed: \(error)", level: .error)
        }
        await running?.environment.stop(teardown)
        running?.registrar.cancel()
        do throws(IsolationError) {
            try await backend.remove(specification(application, version, layers: []))
        } catch {
            note("the data of version \(version) of \(id) could not be removed: \(error)", level: .error)
        }
    }

    /// What failed, or was rolled back, goes: first clients leave it, then peers, then it ends.
    func takeAway(_ id: ApplicationID, _ version: Version) async {
        if let predecessor = applications[id]?.records[version]?.pipeline.predecessor {
            change(id, predecessor) { $0.isDraining = false }
        }
        do {
            try await updateProxy(id)
        } catch {
            note("the proxy of \(id) could not be told of its versions: \(error)", level: .error)
        }
        await end(id, version, teardown: .immediate)
    }

    /// Starts a version that serves again, with the data it has, until it runs.
    func restart(_ id: ApplicationID, _ version: Version) async {
        var delay = Duration.milliseconds(200)
        while !isEnding, let application = applications[id], application.records[version]?.isGone == false {
            do {
                try await prepare(application, version, keepsData: true)
                try await createEnvironment(application, version)
                try await copyConfiguration(application, version)
                try await boot(id, version)
                try await startVersion(id, version)
                // A version that is being filled brought its proxy already.
                let writing = applications[id]?.records.values.filter(\.takesWrites).map(\.version).max()
                try await updateProxy(id, program: writing ?? version)
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
