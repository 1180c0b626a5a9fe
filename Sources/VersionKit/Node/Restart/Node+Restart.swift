import CLinux
import Glibc
import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitKernel
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade

/// Hot restart: versiond executes another versiond, which goes on with everything that runs.
///
/// - Note: docs/hot-restart.md.
extension Node {
    /// How long another versiond may take to say which formats it reads.
    private static let askLimit = Duration.seconds(10)

    /// Why another versiond cannot go on from here; `nil` if one can.
    ///
    /// A stage is many steps, and only the journal knows how to go on from its beginning. The exception is the wait for the
    /// old version's last message, which may last for days, and can begin anew.
    private var restartObstacle: String? {
        if isEnding { return "versiond is about to end" }
        for (id, application) in applications.sorted(by: { $0.key < $1.key }) {
            if let version = application.starting.min() { return "version \(version) of \(id) is being started" }
            for record in application.records.values.sorted(by: { $0.version < $1.version }) {
                switch record.pipeline.state {
                case .working(.serve) where application.isWaiting: continue
                case .working(let stage): return "version \(record.version) of \(id) is in the stage \(stage.title)"
                case .undoing: return "version \(record.version) of \(id) is being taken away"
                case .complete, .undone: continue
                }
            }
            if application.isUpgrading, !application.isWaiting { return "an upgrade of \(id) is under way" }
        }
        return nil
    }

    /// An operator wants another versiond, or the same one anew.
    ///
    /// - Returns: the answer, behind which ``restartAsAsked()`` is to be called.
    /// - Throws: ``NodeError`` if it cannot be done, with the reason.
    func askForRestart(_ binary: String?) async throws -> ControlResponse {
        if let restartObstacle { throw NodeError("\(restartObstacle); try again when it is over") }
        let binary = binary ?? installation.program
        try await check(binary)
        lastRestart?.failure = nil
        nextBinary = binary
        return .restarting(number: lastRestart?.number ?? 0)
    }

    /// Does as ``askForRestart(_:)``, without anybody who waits for an answer (SIGHUP).
    public func restart() async {
        do {
            _ = try await askForRestart(nil)
            await restartAsAsked()
        } catch {
            note("versiond is not restarted: \(error)", level: .error)
        }
    }

    private func check(_ binary: String) async throws {
        guard binary.hasPrefix("/"), access(binary, X_OK) == 0 else {
            throw NodeError("\(binary) cannot be executed: \(String(cString: strerror(errno)))")
        }
        // It reads the configuration as well: afterwards it would be too late to find a mistake.
        let result = try await Command.run(binary, ["--handover-format"] + Self.arguments, limit: Self.askLimit)
        let formats = result.output.split(separator: "\n").map { Int($0) }
        guard result.exit.isSuccess, formats.contains(NodeHandover.formatCurrent) else {
            throw NodeError(
                """
                \(binary) cannot go on from the state of this versiond (format \(NodeHandover.formatCurrent)); it ended \
                with \(result.exit): \(result.output.prefix(200))
                """)
        }
    }

    /// Goes on as another versiond. Comes back only if that cannot be done any more.
    func restartAsAsked() async {
        guard let binary = nextBinary else { return }
        nextBinary = nil
        if let restartObstacle {
            lastRestart = lastRestart ?? RestartStatus()
            lastRestart?.failure = restartObstacle
            return note("versiond is not restarted: \(restartObstacle)", level: .error)
        }
        note("versiond goes on as \(binary)")
        // From here on nothing is answered, begun or noted: what came after would be lost.
        isSuspended = true
        var proxies: [ApplicationID: ProxySupervisor.Handover] = [:]
        for (id, application) in applications { proxies[id] = await application.proxy?.handOver() }
        let stoppedAt = Self.monotonicNanoseconds
        let router = NodeHandover.Router(
            kernel: await kernel.handOver(), relay: await relay.handOver(), datagrams: datagrams.handOver(),
            interception: interception.handOver())
        // The node is told to end: that goes first.
        guard !isToldToEnd else { return }
        let state = handover(stoppedAt, proxies, router)
        do {
            let descriptors = InheritedDescriptors()
            let file = try state.file(keeping: descriptors)
            let arguments = Self.arguments + ["--resume", "\(file.descriptor)"]
            // If the new program has gone meanwhile this one's own goes on, whatever became of its file.
            throw NodeError("\(Succession.execute([binary, "/proc/self/exe"], arguments, keeping: descriptors))")
        } catch {
            logger.critical("versiond cannot go on, and ends as by a crash", metadata: ["reason": "\(error)"])
            fatalError("versiond cannot be restarted: \(error)")
        }
    }

    /// The command line, without what an earlier restart has put there.
    private static var arguments: [String] {
        var arguments = Array(CommandLine.arguments.dropFirst())
        if let index = arguments.firstIndex(of: "--resume") { arguments.removeSubrange(index..<index + 2) }
        return arguments
    }

    private func handover(
        _ stoppedAt: Int64, _ proxies: [ApplicationID: ProxySupervisor.Handover], _ router: NodeHandover.Router
    ) -> NodeHandover {
        NodeHandover(
            release: VersionKitRelease.number, stoppedAt: stoppedAt, number: (lastRestart?.number ?? 0) + 1,
            elapsed: elapsed, control: control.handOver(), controlTCP: controlTCP?.handOver(),
            applications: Dictionary(
                uniqueKeysWithValues: applications.map { id, application in
                    (id, NodeHandover.Application(application, proxies[id]))
                }),
            registry: registry, peers: peers, announcements: announcements, announced: announced,
            lastStamp: steadyStamps.last,
            forgottenPeers: forgottenPeers, gate: gate.counters, router: router)
    }

    // MARK: Going on

    /// Takes over what the versiond before ran, until the router works again.
    func takeOver(_ state: NodeHandover) async throws {
        registry = state.registry
        peers = state.peers
        announcements = state.announcements
        announcements.resume(at: elapsed)
        (announced, forgottenPeers) = (state.announced, state.forgottenPeers)
        steadyStamps = MessageStamps(after: state.lastStamp)
        for (id, application) in state.applications {
            for (version, running) in application.running { await takeOver(running, id, version) }
            applications[id]?.resume(application)
        }
        if let kernel = state.router.kernel { await self.kernel.resume(kernel) }
        watchLeases()
        try await updateRouting()
        lastRestart = RestartStatus(
            number: state.number, pauseMicroseconds: (Self.monotonicNanoseconds - state.stoppedAt) / 1000,
            before: state.release)
        for (id, application) in state.applications {
            guard let proxy = application.proxy else { continue }
            let supervisor = makeSupervisor(id)
            await supervisor.resume(proxy)
            guard applications[id] != nil else {
                await supervisor.stop()
                continue
            }
            applications[id]?.proxy = supervisor
        }
    }

    private func takeOver(_ state: NodeHandover.Running, _ id: ApplicationID, _ version: Version) async {
        do {
            guard let application = applications[id],
                let environment = try await backend(id, version).adopt(specification(application, version))
            else {
                // It ended meanwhile, or is not managed any more: then it goes with all that nobody owns.
                close(state.registrar.number)
                return
            }
            try await attach(environment, state.manifest, id, version, registrar: state.registrar)
            watch(id, version, environment)
            watchHealth(id, version)
        } catch {
            // It is started again as after a crash.
            note("version \(version) of \(id) is gone: \(error)", level: .error)
        }
    }

    static var monotonicNanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension NodeHandover.Application {
    /// What the journal does not have of an application.
    init(_ application: ManagedApplication, _ proxy: ProxySupervisor.Handover?) {
        self.init(
            running: application.running.mapValues { running in
                NodeHandover.Running(
                    manifest: running.manifest, registrar: running.socket.handOver())
            },
            clientEndpoints: application.clientEndpoints, migrations: application.migrations,
            generation: application.generation, restarts: application.restarts,
            downloadRetries: application.downloadRetries, proxy: proxy)
    }
}

extension ManagedApplication {
    /// Goes on where the versiond before was, apart from what runs.
    mutating func resume(_ state: NodeHandover.Application) {
        (clientEndpoints, migrations, generation) = (state.clientEndpoints, state.migrations, state.generation)
        (restarts, downloadRetries) = (state.restarts, state.downloadRetries)
    }
}
