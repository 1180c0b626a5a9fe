import CLinux
import Glibc
import Logging
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// Keeps an application's clients served: owns the sockets they come by, runs the newest release's proxy, and has a newer
/// one take over without a connection being refused or reset.
///
/// - Note: R10, R13; DESIGN 2.
actor ProxySupervisor {
    /// How long a proxy may take to start, to apply a list of versions, or to hand its clients over.
    private static let stepTimeout = Duration.seconds(15)
    /// How long to wait before a proxy that ended is started again.
    private static let restartDelay = Duration.milliseconds(200)

    /// The program of a proxy.
    struct Program: Sendable, Hashable, Codable {
        var version: Version
        var path: String
        var arguments: [String]
        var log: String
        /// The directory for what versions miss.
        var state: String
        /// How quickly it copies keys.
        var rate: MigrationRate?
    }

    struct Running {
        var instance: ProxyInstance
        var program: Program
        var counters = ProxyCounters()
        var isReady = false
        var appliedGeneration: UInt64 = 0
        /// The list of versions that was applied when the counters were told.
        var countersGeneration: UInt64 = 0
        var hasHandedOver = false
        var isGone = false
    }

    var ports: ClientPorts
    private let logger: Logger
    var current: Running?
    /// The proxy that hands its clients over at the moment.
    var leaving: Running?
    var table = VersionTable()
    /// What proxies did that are gone.
    var past = ProxyCounters()
    private var waiters: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
    private var nextWaiter: UInt64 = 0
    /// How often a proxy that served, or was to, ended by itself.
    private var endings = 0
    var isStopped = false
    /// Called with a version that what clients write cannot be logged for any more, and why; again with each report.
    private let onUnreplayable: @Sendable (Version, String) -> Void

    /// For an application whose clients come by these ports.
    init(
        _ ports: ClientPorts, logger: Logger,
        onUnreplayable: @escaping @Sendable (Version, String) -> Void = { _, _ in }
    ) {
        self.ports = ports
        self.logger = logger
        self.onUnreplayable = onUnreplayable
    }

    /// What all proxies of this application did.
    var counters: ProxyCounters {
        var sum = past
        for running in [current, leaving] { if let running { sum.add(running.counters) } }
        return sum
    }

    /// Has this program serve the clients, by this table; returns when all of them are with it. One that is killed meanwhile is
    /// started again, once.
    ///
    /// - Parameters:
    ///   - wanted: the ports to be open.
    ///   - closesOthers: whether others that are open are closed: no version has them.
    func serve(
        with program: Program, _ table: VersionTable, on wanted: [ClientPorts.Wanted] = [], closesOthers: Bool = false
    ) async throws {
        let fresh = try ports.open(wanted)
        self.table = table
        let before = endings
        do {
            try await takeOver(program, fresh)
        } catch {
            try await waitUntilStartedAgain(since: before, error)
        }
        if closesOthers { closePorts(unlessIn: wanted) }
    }

    private func takeOver(_ program: Program, _ fresh: [ClientPorts.Opened]) async throws {
        if let current, current.program == program, !current.isGone {
            try await apply()
            return try listen(current.instance, on: fresh)
        }
        let instance = try start(program)
        // If the one before ended when it was to take over, the clients are still with the one before that.
        let old = current.flatMap { $0.isGone ? nil : $0 } ?? leaving
        leaving = old
        current = Running(instance: instance, program: program)
        try await wait("the proxy of version \(program.version) did not start") { $0.current?.isReady == true }
        try await apply()
        try listen(instance, on: ports.all.filter { !$0.isDatagram || old == nil })
        guard let old else { return }
        try await retire(old.instance)
        // Two that read from one socket take datagrams away from each other; these wait in the kernel meanwhile.
        try listen(instance, on: ports.all.filter(\.isDatagram))
    }

    /// A step failed. If that was because the proxy ended, waits until it is started again, has the present table, and the clients
    /// are with it.
    ///
    /// - Throws: what the step failed for, if the proxy lives, or ended more than once, or is not back in time.
    private func waitUntilStartedAgain(since before: Int, _ error: any Error) async throws {
        // What cannot be sent is not always known to have ended yet.
        guard current?.isGone != false || error is SystemError else { throw error }
        let generation = table.generation
        let deadline = ContinuousClock.now + Self.stepTimeout
        while true {
            if let current, !current.isGone, current.isReady, current.appliedGeneration >= generation, leaving == nil,
                endings > before
            {
                return
            }
            guard !isStopped, endings <= before + 1, ContinuousClock.now < deadline else { throw error }
            await nextEvent(orAt: deadline)
        }
    }

    /// Closes ports that no version which runs declares: a client finds nobody there, rather than somebody who does not
    /// know it.
    private func closePorts(unlessIn wanted: [ClientPorts.Wanted]) {
        guard let instance = current?.instance else { return }
        for port in ports.takeUnwanted(wanted) {
            // A proxy that has ended has them no more; the one after it does not get them.
            try? instance.send(.close, descriptor: port.descriptor)
            ClientPorts.close(port)
        }
    }

    private func listen(_ instance: ProxyInstance, on ports: [ClientPorts.Opened]) throws(SystemError) {
        for port in ports { try instance.send(.listen(versionPort: port.versionPort), descriptor: port.descriptor) }
    }

    /// Has the clients served by this table; returns when no request goes by an older one.
    ///
    /// - Parameter closingUnless: all ports that versions have; the others are closed. `nil`: they are not known.
    func update(_ table: VersionTable, closingUnless wanted: [ClientPorts.Wanted]?) async throws {
        self.table = table
        let before = endings
        do {
            try await apply()
        } catch {
            try await waitUntilStartedAgain(since: before, error)
        }
        if let wanted { closePorts(unlessIn: wanted) }
    }

    /// Waits until a version has all that it missed, as far as that is known.
    ///
    /// - Throws: ``NodeError`` with the proxy's reason if it cannot be brought up to date.
    func waitUntilUpToDate(_ version: Version, _ progress: @Sendable (WriteNumbers) async -> Void) async throws {
        while let current, !isStopped {
            let writes = current.counters.writes
            if current.countersGeneration == table.generation {
                await progress(writes)
                if let reason = writes.trouble[version] {
                    throw NodeError("it cannot be brought up to date: \(reason)")
                }
                if writes.lag[version, default: 0] == 0 { return }
            }
            try Task.checkCancellation()
            await nextEvent(orAt: ContinuousClock().now + Self.stepTimeout)
        }
    }

    /// Waits until what the proxy says of writes is as wanted of a version.
    ///
    /// - Parameter silence: for how long it may come no nearer to being up to date.
    /// - Throws: ``NodeError`` with the reason if it will not be.
    func wait(
        for version: Version, silence: Duration, until isDone: @Sendable (WriteNumbers) -> Bool
    ) async throws {
        var best: (lag: UInt64, examined: UInt64)?
        var deadline = ContinuousClock.now + silence
        while let current, !isStopped {
            let writes = current.counters.writes
            if current.countersGeneration == table.generation {
                if let reason = writes.trouble[version] ?? writes.unreplayable[version] { throw NodeError(reason) }
                if isDone(writes) { return }
                let (lag, examined) = (writes.lag[version, default: 0], writes.examined[version, default: 0])
                if best.map({ lag < $0.lag || examined > $0.examined }) ?? true {
                    best = (lag, examined)
                    deadline = ContinuousClock.now + silence
                }
            }
            guard ContinuousClock.now < deadline else {
                throw NodeError("it came no further for \(silence): \(best?.lag ?? 0) writes are left")
            }
            try Task.checkCancellation()
            await nextEvent(orAt: deadline)
        }
        throw NodeError("the proxy ended")
    }

    /// Ends the proxies and closes the ports.
    func stop() {
        isStopped = true
        current?.instance.kill()
        leaving?.instance.kill()
        ports.close()
    }

    private func apply() async throws {
        guard let current, !isStopped else { return }
        let generation = table.generation
        try current.instance.send(.versions(table))
        try await wait("the proxy did not apply the list of versions \(table.versions)") {
            ($0.current?.appliedGeneration ?? 0) >= generation
        }
    }

    private func retire(_ old: ProxyInstance) async throws {
        do {
            try old.send(.handOver)
            try await wait("the proxy of version \(old.version) did not hand its clients over") {
                $0.leaving?.hasHandedOver != false || $0.leaving?.isGone != false
            }
        } catch {
            // Its clients see their connections end; they are with the new proxy from the next one on.
            logger.error("a proxy is ended by force", metadata: ["reason": "\(error)"])
        }
        if let leaving { past.add(leaving.counters.past) }
        leaving = nil
        old.kill()
    }

    private func start(_ program: Program) throws(SystemError) -> ProxyInstance {
        let instance = try ProxyInstance(
            version: program.version, program: program.path, arguments: program.arguments, log: program.log,
            state: program.state, variables: program.rate?.variables ?? [])
        follow(instance)
        return instance
    }

    func follow(_ instance: ProxyInstance) {
        // Bounded by the proxy's own pace: it sends counters a few times a second, and each client's connection once.
        let (stream, continuation) = AsyncStream.makeStream(of: ControlSocket.Received.self)
        instance.start { received in
            continuation.yield(received)
            if case .closed = received { continuation.finish() }
        }
        Task {
            for await received in stream { self.received(received, from: instance) }
        }
    }

    // MARK: What proxies say

    private func received(_ received: ControlSocket.Received, from instance: ProxyInstance) {
        switch received {
        case .closed: ended(instance)
        case .message(.connection(let rest), let socket?):
            // Between the two proxies it is ours to pass on; the descriptor is not needed here any more.
            do throws(SystemError) {
                try current?.instance.send(.connection(rest), descriptor: socket)
            } catch {
                logger.error("a client's connection was lost between two proxies", metadata: ["reason": "\(error)"])
            }
            close(socket)
        case .message(let message, let descriptor):
            if let descriptor { close(descriptor) }
            change(instance) { running in
                switch message {
                case .ready: running.isReady = true
                case .applied(let generation): running.appliedGeneration = generation
                case .handedOver: running.hasHandedOver = true
                case .counters(let counters):
                    for (version, reason) in counters.writes.unreplayable { onUnreplayable(version, reason) }
                    running.counters = counters
                    running.countersGeneration = running.appliedGeneration
                case .listen, .close, .versions, .handOver, .connection: break
                }
            }
        }
        let resumed = waiters
        waiters = []
        for waiter in resumed { waiter.continuation.resume() }
    }

    private func change(_ instance: ProxyInstance, _ body: (inout Running) -> Void) {
        if current?.instance === instance, var running = current {
            body(&running)
            current = running
        } else if leaving?.instance === instance, var running = leaving {
            body(&running)
            leaving = running
        }
    }

    private func ended(_ instance: ProxyInstance) {
        change(instance) { $0.isGone = true }
        guard !isStopped, let running = current, running.instance === instance else { return }
        endings += 1
        logger.error(
            "a proxy ended by itself and is started again", metadata: ["version": "\(running.program.version)"])
        instance.kill()
        past.add(running.counters.past)
        Task { await self.restart(running.program) }
    }

    /// The ports stay open meanwhile: clients wait in their queues.
    private func restart(_ program: Program) async {
        try? await Task.sleep(for: Self.restartDelay)
        guard !isStopped, current?.program == program, current?.isGone == true else { return }
        current = nil
        await startAgain(program)
    }

    func startAgain(_ program: Program) async {
        do {
            try await serve(with: program, table)
        } catch {
            logger.error("a proxy could not be started again", metadata: ["reason": "\(error)"])
            if current?.isGone == true { Task { await self.restart(program) } }
        }
    }

    /// Waits until something the proxies said makes `condition` true.
    func wait(_ complaint: String, until condition: (isolated ProxySupervisor) -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.stepTimeout
        while !condition(self) {
            if current?.isGone == true { throw NodeError("\(complaint): it ended") }
            guard clock.now < deadline else { throw NodeError("\(complaint) within \(Self.stepTimeout)") }
            await nextEvent(orAt: deadline)
        }
    }

    private func nextEvent(orAt deadline: ContinuousClock.Instant) async {
        let id = nextWaiter
        nextWaiter += 1
        let timer = Task {
            try await Task.sleep(until: deadline)
            self.release(id)
        }
        await withCheckedContinuation { waiters.append((id, $0)) }
        timer.cancel()
    }

    private func release(_ id: UInt64) {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return }
        waiters.remove(at: index).continuation.resume()
    }
}

extension ProxyCounters {
    /// What stays true of a proxy that is gone.
    var past: ProxyCounters {
        var counters = self
        counters.connections = 0
        (counters.writes.lag, counters.writes.examined) = ([:], [:])
        (counters.writes.queued, counters.writes.queuedBytes) = ([:], [:])
        (counters.writes.copied, counters.writes.trouble, counters.writes.disk) = ([:], [:], [:])
        (counters.writes.logged, counters.writes.loggedBytes) = ([:], [:])
        (counters.writes.unreplayable, counters.writes.settled) = ([:], [:])
        return counters
    }

    /// Adds what another proxy did.
    mutating func add(_ other: ProxyCounters) {
        requests += other.requests
        failed += other.failed
        connections += other.connections
        refused += other.refused
        needed.merge(other.needed, uniquingKeysWith: +)
        writes.diverged.merge(other.writes.diverged, uniquingKeysWith: +)
        writes.unkept.merge(other.writes.unkept, uniquingKeysWith: +)
        // What the others miss is of this moment, and only the proxy that serves knows it.
        if !other.writes.lag.isEmpty { writes.lag = other.writes.lag }
        if !other.writes.queued.isEmpty { writes.queued = other.writes.queued }
        if !other.writes.queuedBytes.isEmpty { writes.queuedBytes = other.writes.queuedBytes }
        if !other.writes.examined.isEmpty { writes.examined = other.writes.examined }
        if !other.writes.copied.isEmpty { writes.copied = other.writes.copied }
        if !other.writes.disk.isEmpty { writes.disk = other.writes.disk }
        if !other.writes.trouble.isEmpty { writes.trouble = other.writes.trouble }
        if !other.writes.logged.isEmpty {
            (writes.logged, writes.loggedBytes) = (other.writes.logged, other.writes.loggedBytes)
        }
        if !other.writes.unreplayable.isEmpty { writes.unreplayable = other.writes.unreplayable }
    }
}
