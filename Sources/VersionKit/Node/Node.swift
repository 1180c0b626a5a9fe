import Glibc
public import Logging
import NIOCore
import NIOPosix
import Synchronization
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitKernel
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade
import VersionKitWire

/// A node of a fleet: joins router, releases, environments, proxies and journal, and lets the state machines decide.
///
/// - Note: DESIGN 2, 8.
public actor Node {
    let configuration: NodeConfiguration
    let installation: Installation
    let store: ReleaseStore
    let swarm: NodeSwarm?
    let transferLimits: TransferLimits
    let journal: Journal
    let registrations: StateFile<KeptRegistration>
    let verdicts: StateFile<SpreadVerdict.Sealed>
    let snapshots: SnapshotCatalogue
    let backends: Backends
    let logger: Logger
    let group: any EventLoopGroup
    let clock = ContinuousClock()
    let time: NodeTime
    let fleetKey: FleetKey?
    let gate: FleetGate

    private let messages: AsyncStream<FleetNews>
    private let server: ReleaseServer
    let relay: Relay
    let datagrams: DatagramRelay
    private let events: AsyncStream<Event>
    let interception: Interception
    let kernel: KernelRouter
    let hostVersions: HostVersions?
    let control: ControlServer
    let controlTCP: ControlServer?
    private var isStopping = false
    /// Whether what this node does would be lost, for another versiond goes on from what it was.
    var isSuspended = false
    private let isCancelled = Atomic(false)
    /// The versiond to go on as, once whoever wants it has an answer.
    var nextBinary: String?
    var lastRestart: RestartStatus?
    /// What the versiond before left; taken over when this one runs.
    private var inheritance: NodeHandover?
    private var tasks: [Task<Void, any Error>] = []

    var applications: [ApplicationID: ManagedApplication] = [:]
    var peers = PeerTable()
    var registry = PortRegistry()
    var leaseTimer: Task<Void, Never>?
    var announcements = Announcements()
    /// What peers were told of each application, or are being told.
    var announced: [ApplicationID: Set<Version>] = [:]
    /// How far around this node the version serves that each application goes over to, as peers are told.
    var horizons: [ApplicationID: FleetMessage.Horizon] = [:]
    var announcementTimer: Task<Void, Never>?
    /// The stamps of this node's messages by its steady time, and by the time of day.
    var steadyStamps = MessageStamps()
    var dayStamps = MessageStamps()
    var forgottenPeers: UInt64 = 0
    /// Versions that strangers to the fleet advertised.
    var strangersAdverts: UInt64 = 0
    var interceptedPorts: Set<TransportPort> = []

    static let transparentPortDefault: UInt16 = 15_001
    /// Events of the relay that may wait; what is beyond is advertised again with the next connection.
    private static let eventsMax = 4096
    /// Messages of peers that may wait; the sender of one more hears of it, and tries again.
    private static let messagesMax = 1024

    /// Prepares a node: opens its store and journal, and its sockets. Nothing of an application runs yet.
    ///
    /// - Parameters:
    ///   - inheritance: what the versiond left that executed this one.
    ///   - failure: why that cannot be had, although there is such a one.
    /// - Throws: anything that makes it impossible, with the reason.
    public init(
        _ configuration: NodeConfiguration, resuming inheritance: NodeHandover? = nil, failure: String? = nil,
        logger: Logger
    ) async throws {
        self.configuration = configuration
        self.logger = logger
        installation = try Installation.current()
        self.inheritance = inheritance
        lastRestart = failure.map { RestartStatus(failure: $0) }
        // The node's own time goes on.
        time = NodeTime(age: inheritance?.elapsed ?? .zero)
        guard configuration.peerSilenceSeconds != 0 else {
            throw NodeError("peerSilenceSeconds is 0; peers would be forgotten at once")
        }
        fleetKey = try configuration.fleetKey.map { path throws(ReleaseError) in
            try FleetKey(contentsOf: path, fleet: configuration.fleet)
        }
        try Self.makeDirectories(configuration.state)
        store = try ReleaseStore(root: configuration.state + "/releases")
        swarm = try configuration.swarmOptions().map { [store] in NodeSwarm($0, store: store) }
        transferLimits = configuration.transferLimits()
        journal = try Journal(path: configuration.state + "/journal.sqlite")
        snapshots = try SnapshotCatalogue(directory: configuration.state + "/snapshots")
        registrations = StateFile(path: configuration.state + "/registrations.json")
        verdicts = StateFile(path: configuration.state + "/verdicts.json")
        let (messages, inbox) = AsyncStream.makeStream(
            of: FleetNews.self, bufferingPolicy: .bufferingOldest(Self.messagesMax))
        self.messages = messages
        gate = FleetGate(
            key: fleetKey, addresses: configuration.address,
            applications: Set(configuration.applications.keys.compactMap { ApplicationID(rawValue: $0) }),
            time: time, counters: inheritance?.gate ?? FleetGate.Counters()
        ) { message in
            if case .enqueued = inbox.yield(message) { true } else { false }
        }
        var keepers: [ApplicationID: TrustKeeper] = [:]
        for name in configuration.applications.keys {
            guard let id = ApplicationID(rawValue: name) else { continue }
            keepers[id] = try configuration.trustKeeper(for: id)
        }
        server = ReleaseServer(
            store: store, gate: gate, swarm: swarm, limits: transferLimits, trust: keepers)
        group = MultiThreadedEventLoopGroup.singleton
        let networks = try configuration.environmentNetworks()
        hostVersions = HostVersions(
            configuration, resuming: inheritance?.router.kernel?.hostPath, logger: logger)
        backends = Backends(try configuration.backends(networks, host: hostVersions))
        let port = configuration.transparentPort ?? Self.transparentPortDefault
        let (events, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(Self.eventsMax))
        self.events = events
        let server = server
        relay = try Relay(
            .init(addresses: configuration.address, transparentPort: port), resuming: inheritance?.router.relay
        ) { event in
            if case .control(let socket, let header, let rest, let peer) = event {
                server.serve(
                    socket, unread: Array(rest.readableBytesView), application: header.application, from: peer)
            } else if let event = Node.Event(event) {
                continuation.yield(event)
            }
        }
        interception = try await Interception(
            InterceptionRules(
                transparentPort: port, environmentNetworks: networks,
                directPorts: KernelRouter.range(configuration.directPorts)),
            stateFile: Self.sysctlFile(configuration), resuming: inheritance?.router.interception)
        kernel = try KernelRouter(
            configuration, networks: networks, host: hostVersions, resuming: inheritance?.router.kernel,
            started: time.began, logger: logger)
        datagrams = try DatagramRelay(
            .init(addresses: configuration.address), resuming: inheritance?.router.datagrams
        ) { event in
            if let event = Node.Event(event) { continuation.yield(event) }
        }
        control = try await ControlServer(path: configuration.control, resuming: inheritance?.control, group: group)
        var tcp: ControlServer?
        if let place = configuration.controlTCP {
            tcp = try await ControlServer(
                on: place.listen, token: ControlToken(contentsOf: place.token), resuming: inheritance?.controlTCP,
                group: group)
        }
        controlTCP = tcp
        for name in configuration.applications.keys.sorted() {
            guard let id = ApplicationID(rawValue: name), let settings = configuration.applications[name],
                let keeper = keepers[id]
            else {
                throw NodeError("'\(name)' cannot be the name of an application")
            }
            _ = try settings.prefixFilter()
            applications[id] = ManagedApplication(id: id, trustKeeper: keeper, settings: settings)
        }
        for record in try journal.records() { applications[record.application]?.records[record.version] = record }
    }

    /// Undoes what a versiond with this configuration left in the kernel when it was killed: rules, routes and sysctls.
    ///
    /// Only while none runs: a running one would lose its rules.
    ///
    /// - Throws: an error that says which sysctl could not be put back.
    public static func cleanUp(_ configuration: NodeConfiguration) async throws {
        try await Interception.cleanUp(stateFile: sysctlFile(configuration))
    }

    private static func sysctlFile(_ configuration: NodeConfiguration) -> String { configuration.state + "/sysctls" }

    private static func makeDirectories(_ state: String) throws {
        for path in [state, state + "/run", state + "/log", state + "/missed", state + "/environments"]
        where mkdir(path, 0o755) != 0 && errno != EEXIST {
            throw SystemError("make the directory \(path)")
        }
    }

    /// Runs until the task is cancelled; then everything that runs on the node is ended, and its state stays on disk.
    public func run() async throws {
        restoreVerdicts()
        try relay.start()
        datagrams.start()
        if let inheritance { try await takeOver(inheritance) } else { restoreRegistrations() }
        inheritance = nil
        tasks.append(Task { try await self.answerOperators(self.control) })
        if let controlTCP { tasks.append(Task { try await self.answerOperators(controlTCP) }) }
        tasks.append(Task { for await event in self.events { await self.handle(event) } })
        tasks.append(Task { for await message in self.messages { self.handle(message) } })
        tasks.append(Task { try await self.watchPeers() })
        tasks.append(Task { try await self.watchTrust() })
        tasks.append(Task { try await self.expireRoutes() })
        tasks.append(Task { try await self.handReleasesOn() })
        logger.info("node started", metadata: ["node": "\(configuration.node)", "address": "\(configuration.address)"])
        await removeOrphans()
        resumeAfterRestart()
        // Ends only by cancellation.
        await withTaskCancellationHandler {
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
        await stop()
    }

    private func answerOperators(_ server: ControlServer) async throws {
        try await server.run(
            answered: { response in
                guard case .restarting = response else { return }
                await self.restartAsAsked()
            }, { await self.answer($0) })
    }

    private func stop() async {
        isStopping = true
        isSuspended = false
        for task in tasks { task.cancel() }
        leaseTimer?.cancel()
        announcementTimer?.cancel()
        for id in applications.keys {
            applications[id]?.stageTask?.cancel()
            applications[id]?.downloadRetry?.cancel()
            await applications[id]?.proxy?.stop()
            for running in (applications[id]?.running ?? [:]).values { await running.environment.stop(.standard) }
        }
        relay.stop()
        datagrams.stop()
        control.close()
        if let swarm { await onThread("swarm-end") { swarm.close() } }
        await kernel.stop()
        await interception.remove()
        logger.info("node stopped")
    }

    var isEnding: Bool { isStopping || isSuspended }

    /// Whether the node was told to end, even if it did not begin to yet.
    var isToldToEnd: Bool { isCancelled.load(ordering: .relaxed) }

    /// The time since versiond began: what the state machines go by.
    var elapsed: Duration { time.elapsed }

    /// Milliseconds since 1970, by the clock.
    var now: Int64 { NodeTime.ofDay }

    var relayCounters: RelayCounters { relay.counters }

    /// Tells the log and the journal of something that an operator may want to know.
    func note(_ text: String, level: Logger.Level = .info) {
        logger.log(level: level, "\(text)")
        do {
            try journal.note(text, at: now)
        } catch {
            logger.error("the journal cannot be written", metadata: ["reason": "\(error)"])
        }
    }
}
