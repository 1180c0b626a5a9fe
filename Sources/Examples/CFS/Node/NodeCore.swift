import CFSModel
import CFSRing
import CFSStore
import NIOCore
import ONCRPC
import ONCRPCSockets

/// All virtual nodes of a process, one event at a time, on the event loop of the socket.
///
/// Events come from the socket, from timers, from clients and from the disk. What the nodes then want to have done is done before the
/// next event, but for what acknowledges: that waits for the disk.
actor NodeCore<Generation: RingGeneration> {
    /// Whatever wakes the process.
    enum Wake: Sendable {
        case ring(Int, RingTimer)
        case expiry
    }

    /// Between two nodes of this process.
    enum Delivery: Sendable {
        case question(to: Int, from: Int, RequestID, RingRequest)
        case reply(to: Int, RequestID, RingReply)
        case failure(to: Int, RequestID)
    }

    /// Who waits for an answer of a node here.
    enum Asker {
        case process(CheckedContinuation<RingReply?, Never>, deadline: Duration)
        case neighbour(Int, RequestID)
    }

    /// What a client waits for.
    enum Client {
        case insert(CheckedContinuation<Result<[ChordNode], KeeperFailure>, Never>)
        case fetch(CheckedContinuation<Result<FetchedBlock, KeeperFailure>, Never>)
    }

    /// Which of the nodes' operations.
    struct OperationName: Hashable {
        let node: Int
        let id: OperationID
    }

    let configuration: NodeConfiguration
    let database: BlockDatabase
    let eventLoop: any EventLoop
    private nonisolated let executor: any SerialExecutor
    /// Where its tasks run, also while they wait for a reply or the disk.
    nonisolated let tasks: LoopTasks

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    var nodes: [RingNode] = []
    var indices: [ChordID: Int] = [:]
    var endpoint: RPCDatagramEndpoint?
    var random = SystemRandomNumberGenerator()
    let clock = ContinuousClock()
    let began: ContinuousClock.Instant

    var timers = EventQueue<Wake>()
    var alarm: (time: Duration, task: Scheduled<Void>)?
    var deliveries: [Delivery] = []
    var askers: [Ticket: Asker] = [:]
    var lastTicket: UInt64 = 0
    var operations: [OperationName: (client: Client, deadline: Duration)] = [:]
    var held = HeldActions()
    var isCommitting = false
    var isEnding = false
    var openQuestions = 0
    var counters = NodeCounters()
    /// When it was counted from zero last.
    var counted = Duration.zero
    var roundTrips = RoundTrips()
    var isStabilizing = true
    var isReplicating = true
    /// Who wants to know when a node is on the ring.
    var joiners: [CheckedContinuation<Void, Never>] = []
    var joined: Set<Int> = []
    var ender: CheckedContinuation<Void, Never>?

    init(_ configuration: NodeConfiguration, database: BlockDatabase, on eventLoop: any EventLoop) {
        self.configuration = configuration
        self.database = database
        self.eventLoop = eventLoop
        executor = eventLoop.executor
        tasks = LoopTasks(eventLoop)
        began = clock.now
    }

    /// The time since it began.
    var now: Duration { clock.now - began }

    /// Makes the nodes of the address that the socket got, and joins or begins the ring.
    func begin(_ endpoint: RPCDatagramEndpoint, at addresses: [NodeAddress], through bootstrap: ChordNode?) {
        self.endpoint = endpoint
        for (index, address) in addresses.enumerated() {
            let me = ChordNode(address)
            indices[me.id] = index
            nodes.append(
                RingNode(
                    me: me, store: NodeStore(database, node: index), rules: Generation.rules,
                    chord: configuration.chord, dhash: configuration.dhash))
        }
        tellTime()
        timers.plan(.expiry, at: now + NodeLimits.expiryInterval)
        for index in nodes.indices {
            // A ring that nobody else is in begins with the first one.
            let door = bootstrap.flatMap { indices[$0.id] == index ? nil : $0 } ?? (index > 0 ? nodes[0].chord.me : nil)
            with(index) { node, random, _ in
                if let door { node.join(through: door, using: &random) } else { node.start(using: &random) }
            }
            if door == nil { noteJoined(index) }
        }
        settle()
    }

    /// Lets a node do something, and does what it then wants.
    func with(
        _ index: Int, _ body: (inout RingNode, inout SystemRandomNumberGenerator, Duration) -> [RingAction]
    ) {
        for action in body(&nodes[index], &random, now) { perform(action, of: index) }
    }

    /// After each event: what nodes of this process say to each other, the disk, the clock.
    func settle() {
        while !deliveries.isEmpty {
            let all = deliveries
            deliveries = []
            for delivery in all { deliver(delivery) }
        }
        commit()
        setAlarm()
    }

    private func deliver(_ delivery: Delivery) {
        switch delivery {
        case .question(let index, let asker, let request, let question):
            let ticket = nextTicket()
            askers[ticket] = .neighbour(asker, request)
            let me = nodes[asker].chord.me
            with(index) { $0.answer(question, from: me, ticket: ticket, at: $2, using: &$1) }
        case .reply(let index, let request, let reply):
            with(index) { $0.receive(reply, to: request, at: $2, using: &$1) }
        case .failure(let index, let request): with(index) { $0.fail(request, at: $2, using: &$1) }
        }
    }

    func nextTicket() -> Ticket {
        lastTicket += 1
        return Ticket(lastTicket)
    }

    // The disk.

    private func commit() {
        guard !isCommitting, database.openBatch != nil else { return }
        isCommitting = true
        Task(executorPreference: tasks) { await self.commitBatch() }
    }

    private func commitBatch() async { committed(await database.commit()) }

    private func committed(_ outcome: CommitOutcome) {
        isCommitting = false
        switch outcome {
        case .nothing: break
        case .committed(let batch):
            for (index, action) in held.take(through: batch) { carryOut(action, of: index) }
        case .failed(let batch, let undone, _):
            counters.drop(.failedCommit)
            for (index, keys) in Dictionary(grouping: undone, by: \.node) { nodes[index].undo(keys.map(\.key)) }
            for (index, action) in held.take(through: batch) { carryOut(action.inVain, of: index) }
        }
        settle()
        if isEnding, !isCommitting { ender.take()?.resume() }
    }

    // The clock.

    /// Has it woken up when the next timer is due, unless that is to happen earlier anyway.
    private func setAlarm() {
        guard !isEnding, let time = timers.nextTime else { return }
        if let alarm, alarm.time <= time { return }
        alarm?.task.cancel()
        let task = eventLoop.scheduleTask(in: .nanoseconds(max(time - now, .zero).nanoseconds)) {
            _ = Task(executorPreference: self.tasks) { await self.wake() }
        }
        alarm = (time, task)
    }

    private func wake() {
        alarm = nil
        // What becomes due meanwhile waits for messages that came meanwhile.
        let due = now
        while let time = timers.nextTime, time <= due, let (_, wake) = timers.next() {
            switch wake {
            case .expiry: expire()
            case .ring(let index, let timer): fire(timer, of: index)
            }
        }
        settle()
    }

    private func fire(_ timer: RingTimer, of index: Int) {
        if isPaused(timer) {
            timers.plan(.ring(index, timer), at: now + NodeLimits.pauseInterval)
        } else {
            with(index) { $0.fire(timer, at: $2, using: &$1) }
        }
    }

    private func isPaused(_ timer: RingTimer) -> Bool {
        switch timer {
        case .chord(.continuous), .chord(.backoff), .chord(.checkDead), .chord(.firstFingers): !isStabilizing
        case .dhash(.replicas), .dhash(.wholeBlocks), .dhash(.misplaced): !isReplicating
        // What somebody waits for.
        case .chord, .dhash: false
        }
    }

    /// The system's clock may have been set since the last look.
    private func tellTime() {
        let time = configuration.timeOfDay()
        for index in nodes.indices { nodes[index].setTimeOfDay(time, at: now) }
    }

    private func expire() {
        tellTime()
        for (ticket, asker) in askers {
            guard case .process(let continuation, let deadline) = asker, deadline <= now else { continue }
            askers[ticket] = nil
            counters.drop(.expiredAnswer)
            continuation.resume(returning: nil)
        }
        for (name, operation) in operations where operation.deadline <= now {
            operations[name] = nil
            counters.drop(.expiredOperation)
            operation.client.fail(.timedOut)
        }
        timers.plan(.expiry, at: now + NodeLimits.expiryInterval)
    }

    // The end.

    /// Answers nobody any more, and returns when all that was acknowledged is on the disk.
    func end() async {
        guard !isEnding else { return }
        isEnding = true
        alarm?.task.cancel()
        alarm = nil
        for (_, operation) in operations { operation.client.fail(.unavailable) }
        operations = [:]
        for case .process(let continuation, _) in askers.values { continuation.resume(returning: nil) }
        askers = [:]
        for joiner in joiners { joiner.resume() }
        joiners = []
        guard isCommitting else { return }
        await withCheckedContinuation { ender = $0 }
    }
}

extension NodeCore.Client {
    func fail(_ failure: KeeperFailure) {
        switch self {
        case .insert(let continuation): continuation.resume(returning: .failure(failure))
        case .fetch(let continuation): continuation.resume(returning: .failure(failure))
        }
    }
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue + attoseconds / 1_000_000_000
    }
}
