import Glibc
public import Logging
import NIOCore
import NIOPosix
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
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
    let journal: Journal
    let backend: any IsolationBackend
    let logger: Logger
    let group: any EventLoopGroup
    let clock = ContinuousClock()
    let started: ContinuousClock.Instant

    private let server: ReleaseServer
    private let relay: Relay
    private let events: AsyncStream<Relay.Event>
    private let interception: Interception
    private let control: ControlServer
    private var isStopping = false
    private var tasks: [Task<Void, any Error>] = []

    var applications: [ApplicationID: ManagedApplication] = [:]
    var peers = PeerTable()
    private var interceptedPorts: Set<UInt16> = []

    static let environmentNetworkDefault = IPv4Address(number: 10 << 24 | 77 << 16)
    static let transparentPortDefault: UInt16 = 15_001
    /// Events of the relay that may wait; what is beyond is advertised again with the next connection.
    private static let eventsMax = 4096

    /// Prepares a node: opens its store and journal, and its sockets. Nothing of an application runs yet.
    ///
    /// - Throws: anything that makes it impossible, with the reason.
    public init(_ configuration: NodeConfiguration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        installation = try Installation.current()
        started = clock.now
        try Self.makeDirectories(configuration.state)
        store = try ReleaseStore(root: configuration.state + "/releases")
        journal = try Journal(path: configuration.state + "/journal.sqlite")
        server = ReleaseServer(store: store)
        group = MultiThreadedEventLoopGroup.singleton
        let network = configuration.environmentNetwork ?? Self.environmentNetworkDefault
        backend = NamespaceBackend(
            directory: configuration.state + "/environments", helper: installation.environmentHelper, network: network)
        let port = configuration.transparentPort ?? Self.transparentPortDefault
        let (events, continuation) = AsyncStream.makeStream(
            of: Relay.Event.self, bufferingPolicy: .bufferingNewest(Self.eventsMax))
        self.events = events
        let server = server
        relay = try Relay(.init(address: configuration.address, transparentPort: port)) { event in
            if case .control(let socket, let header, let rest, _) = event {
                server.serve(socket, unread: Array(rest.readableBytesView), application: header.application)
            } else {
                continuation.yield(event)
            }
        }
        interception = try await Interception(transparentPort: port, environmentNetwork: network)
        control = try await ControlServer(path: configuration.control, group: group)
        for name in configuration.applications.keys.sorted() {
            guard let id = ApplicationID(rawValue: name), let settings = configuration.applications[name] else {
                throw NodeError("'\(name)' cannot be the name of an application")
            }
            applications[id] = ManagedApplication(
                id: id, trust: try configuration.trust(for: id), settings: settings)
        }
        for record in try journal.records() { applications[record.application]?.records[record.version] = record }
    }

    private static func makeDirectories(_ state: String) throws {
        for path in [state, state + "/run", state + "/log", state + "/missed"]
        where mkdir(path, 0o755) != 0 && errno != EEXIST {
            throw SystemError("make the directory \(path)")
        }
    }

    /// Runs until the task is cancelled; then everything that runs on the node is ended, and its state stays on disk.
    public func run() async throws {
        try relay.start()
        tasks.append(Task { try await self.control.run { await self.answer($0) } })
        tasks.append(Task { for await event in self.events { self.handle(event) } })
        logger.info("node started", metadata: ["node": "\(configuration.node)", "address": "\(configuration.address)"])
        resumeAfterRestart()
        // Ends only by cancellation.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        await stop()
    }

    private func stop() async {
        isStopping = true
        for task in tasks { task.cancel() }
        for id in applications.keys {
            applications[id]?.stageTask?.cancel()
            await applications[id]?.proxy?.stop()
            for running in (applications[id]?.running ?? [:]).values { await running.environment.stop(.standard) }
        }
        relay.stop()
        control.close()
        await interception.remove()
        logger.info("node stopped")
    }

    var isEnding: Bool { isStopping }

    /// Milliseconds since 1970, for the journal.
    var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

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

    // MARK: Routing

    /// Has the relay and the kernel route by what runs now.
    func updateRouting() async throws {
        var table: [ApplicationID: RoutingTable.Application] = [:]
        for (id, application) in applications {
            let advertised = application.records.values.filter { $0.pipeline.isServing && !$0.isRetired }.map(\.version)
            table[id] = RoutingTable.Application(
                ports: application.ports, versions: application.running.mapValues { $0.environment.address },
                advertised: Set(advertised).intersection(application.running.keys),
                plainVersion: application.settings.plainVersion)
        }
        let routing = RoutingTable(table)
        relay.update(routing)
        if routing.ports != interceptedPorts {
            interceptedPorts = routing.ports
            try await interception.apply(ports: routing.ports)
        }
    }

    private func handle(_ event: Relay.Event) {
        switch event {
        case .control: break
        case .refused(let reason, let peer):
            logger.debug("connection refused", metadata: ["reason": "\(reason)", "peer": "\(peer)"])
        case .heard(let header, let address):
            guard applications[header.application] != nil else { return }
            if let version = peers.heard(header, from: address, at: clock.now - started) {
                logger.debug("a peer shows a version", metadata: ["peer": "\(address)", "version": "\(version)"])
            }
            considerAdvertised(header, from: address)
        }
    }
}
