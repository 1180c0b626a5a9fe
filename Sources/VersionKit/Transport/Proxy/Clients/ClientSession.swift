import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// One client, and its connections to the versions, all on one event loop: carries out what the callbacks record.
///
/// The parts: bytes come in and actions go out here; `+Changes` deals with new lists of versions, with newer proxies, and
/// with the end.
final class ClientSession: VersionConnectionOwner {
    let server: ProxyServer
    let loop: any EventLoop
    /// What it shares with the other clients of its loop.
    let shared: ProxyLoop
    let callbacks: AnyProxyCallbacks
    /// The client; `nil` once it is gone. Writes that are under way are then still finished, or versions would differ.
    var port: (any ClientPort)?
    var table: VersionTable { didSet { logged = table.versions.logged } }
    /// Those of the table that do not run.
    private var logged: [Version]
    var unread: PeekBuffer
    var versions: [Version: VersionConnection] = [:]
    /// The descriptor that is handed over when the connection moves, the channel's own; -1 when it cannot.
    var socket: Int32
    /// Whether versions are spoken to by datagrams, too.
    var isDatagram = false
    /// Whether it may ask on connections that other clients use, too: not after a reply to it has ended one.
    var mayShare = true
    var isInputClosed = false
    /// The client gets what was enqueued, and then nothing more is read.
    var isEnding = false
    var isMoving = false
    /// Those who wait until no request goes by an older table.
    var appliedPromises: [EventLoopPromise<Void>] = []
    /// The port of the versions that requests go to, if it is not the table's.
    let versionPort: UInt16?
    private let writer: UInt64
    private var outgoing = OutgoingBytes()
    /// When the request began that is not complete yet.
    private var partialSince: NIODeadline?
    private var lastActivity = NIODeadline.now()
    /// Since when it should have moved to a newer proxy, and cannot.
    var drainingSince: NIODeadline?
    private var stalledSince: NIODeadline?
    /// What it was sent since.
    private(set) var stalledBytes = 0
    private var timer: (due: NIODeadline, task: Scheduled<Void>)?

    init(
        server: ProxyServer, callbacks: AnyProxyCallbacks, loop: any EventLoop, socket: Int32 = -1,
        rest: ClientRemainder = ClientRemainder()
    ) {
        self.server = server
        self.callbacks = callbacks
        self.loop = loop
        shared = server.loops[loop]
        self.socket = socket
        unread = PeekBuffer(ByteBuffer(bytes: rest.bytes))
        versionPort = rest.versionPort
        let table = server.table
        (self.table, logged) = (table, table.versions.logged)
        writer = server.writes.newOwner()
        callbacks.resume(rest.silentReplies)
    }

    var limits: Limits { server.bounds }
    /// The client's address and ours, where versions are to be told.
    var addresses: (client: SocketAddress, own: SocketAddress)?

    // MARK: Bytes from the client

    func begin(_ port: any ClientPort) {
        self.port = port
        shared.busyPoll.add(socket)
        server.register(ClientReference(self, loop: loop))
        table = server.table
        process()
        finishTurn()
    }

    func received(_ bytes: ByteBuffer) {
        guard !isEnding else { return }
        unread.append(bytes)
        process()
    }

    /// A turn of the loop ends: what was gathered leaves.
    func finishTurn() {
        shared.busyPoll.noteEvent()
        flushClient()
        for version in versions.values { version.flush() }
        updateReading()
        watch()
    }

    /// Lets the callbacks have the client's bytes as long as they use some.
    func process() {
        if !appliedPromises.isEmpty, callbacks.isQuiescent { resolveApplied() }
        if unread.count > 0, !isEnding, !isHolding { parse() }
        partialSince = unread.count > 0 && callbacks.isQuiescent ? partialSince ?? .now() : nil
        moveIfPossible()
        endIfDone()
    }

    private func parse() {
        var handler = makeHandler()
        var used = 1
        while used > 0, unread.count > 0 {
            unread.resetPeek()
            do throws(ProxyError) {
                used = try callbacks.handleRequest(server.speaker, &unread, &handler)
                unread.consume(used)
            } catch {
                handler.closeClient(error)
                break
            }
        }
        perform(&handler)
        if callbacks.isQuiescent, unread.count > limits.messageBytesMax {
            refuse(.limitExceeded("a request is longer than \(limits.messageBytesMax) bytes"))
        }
    }

    /// The client cannot be served on.
    private func refuse(_ error: ProxyError) {
        guard !isEnding else { return }
        var handler = makeHandler()
        callbacks.refuse(error, &handler)
        perform(&handler)
    }

    /// Whether no further request may begin: those under way have to end first, because the versions changed or the
    /// connection moves. Otherwise a client that never pauses would put either off for ever.
    private var isHolding: Bool {
        !appliedPromises.isEmpty || isDrained
            || (server.isLeaving && !isDatagram && socket >= 0 && remainder != nil)
    }

    func makeHandler(unreached: Version? = nil) -> ConnectionHandler {
        let standing = server.writes.standing
        var list = table.versions
        for version in standing.unverified where list.contains(version) { list.insert(version, role: .filling) }
        return ConnectionHandler(
            versions: list, behind: standing.behind + logged, unlike: standing.unlike, failing: standing.failing,
            keepsMissed: standing.keepsMissed, unreached: unreached, milliseconds: server.milliseconds,
            canShare: mayShare && !isDatagram && versionPort == nil)
    }

    // MARK: Bytes from versions

    /// Bytes came from a version.
    func received(_ bytes: inout PeekBuffer, from version: Version) throws(ProxyError) {
        var handler = makeHandler()
        var used = 1
        var failure: ProxyError?
        while used > 0, bytes.count > 0 {
            bytes.resetPeek()
            do throws(ProxyError) {
                used = try callbacks.handleReply(version, &bytes, &handler)
                bytes.consume(used)
            } catch {
                failure = error
                break
            }
        }
        perform(&handler)
        // A reply makes room for pipelined requests.
        process()
        if let failure { throw failure }
    }

    func isAwaiting(_ version: Version) -> Bool { callbacks.isAwaiting(version) }

    func receivedUnusable(from version: Version) {}

    /// A version's connection ended, or cannot be had: then nothing was sent.
    func lost(_ version: Version, _ connection: VersionConnection, wasOpen: Bool) {
        guard versions[version] === connection else { return }
        versions[version] = nil
        var handler = makeHandler(unreached: wasOpen ? nil : version)
        callbacks.versionLost(version, &handler)
        perform(&handler)
        process()
        finishTurn()
    }

    // MARK: Actions

    func perform(_ handler: inout ConnectionHandler) {
        var answered: UInt64 = 0
        var failed: UInt64 = 0
        var isKept = true
        for action in handler.takeActions() {
            switch action {
            case .send(let bytes, let version): connection(to: version)?.send(bytes)
            case .sendShared(let bytes, let version, let replies):
                guard let endpoint = table.endpoints[version] else { break }
                shared.connection(to: version, endpoint).send(bytes, replies, for: self)
            case .reply(let bytes):
                guard isKept else { break }
                if stalledSince != nil { stalledBytes += bytes.readableBytes }
                outgoing.append(bytes) { port?.write($0) }
            case .order(let number, let keys): order(number, KeyMarks(keys))
            case .orderRun(let number, let marks): order(number, .each(marks))
            case .finish(let number): server.writes.finish(ticket(number))
            case .catchUp(let missed, let version):
                if !server.catchUp.missed(missed, by: version), isKept {
                    // It would be lost with this process: the client must not hear that it is done.
                    isKept = false
                    isEnding = true
                    server.count { $0.refused += 1 }
                }
            case .drop(let version): versions.removeValue(forKey: version)?.close()
            case .needed(let version): server.count { $0.needed[version, default: 0] += 1 }
            case .diverged(let version): server.writes.noteDiverged(version)
            case .failing(let version, let reason): server.writes.noteFailing(version, because: reason)
            case .working(let version): server.writes.noteWorking(version)
            case .answered(let isFailure):
                answered += 1
                if isFailure { failed += 1 }
            case .answeredRun(let count): answered += UInt64(count)
            case .closeClient(let error):
                guard !isEnding else { break }
                if error != nil { server.count { $0.refused += 1 } }
                isEnding = true
            }
        }
        if answered > 0 {
            server.count {
                $0.requests += answered
                $0.failed += failed
            }
        }
    }

    private func ticket(_ number: Int) -> WriteOrder.Ticket { WriteOrder.Ticket(owner: writer, number: number) }

    private func order(_ number: Int, _ keys: KeyMarks) {
        if server.writes.order(ticket(number), keys, whenGranted: { grantLater(number) }) { granted(number) }
    }

    /// What is to be done when a write has its turn, by whichever thread.
    private func grantLater(_ number: Int) -> @Sendable () -> Void {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        return {
            loop.execute {
                bound.value.granted(number)
                bound.value.process()
                bound.value.finishTurn()
            }
        }
    }

    private func granted(_ number: Int) {
        var handler = makeHandler()
        callbacks.ordered(number, &handler)
        perform(&handler)
    }

    private func connection(to version: Version) -> VersionConnection? {
        if let open = versions[version] { return open }
        guard var endpoint = table.endpoints[version] else { return nil }
        if let versionPort { endpoint.port = versionPort }
        let opened = VersionConnection(owner: self, version: version, loop: loop, limits: limits)
        versions[version] = opened
        if stalledSince != nil { opened.setReading(false) }
        opened.open(endpoint, announcing: callbacks.announcesClient(version) ? addresses : nil)
        return opened
    }

    private func flushClient() {
        guard let port else {
            _ = outgoing.take()
            return
        }
        guard let bytes = outgoing.take() else { return }
        port.writeAndFlush(bytes)
    }

    // MARK: Pace

    /// Reads from the client only what can be passed on.
    func updateReading() {
        guard let port else { return }
        let isRoom = callbacks.isQuiescent || unread.count < limits.unsentBytesMax
        let isSharedWritable = shared.isWritable || shared.block(self)
        let isWritable = versions.values.allSatisfy(\.isWritable)
        port.setReading(isRoom && isWritable && isSharedWritable && !isEnding && !isMoving)
    }

    /// The client takes bytes again, or takes none for now.
    func clientWritabilityChanged() {
        let isWritable = port?.isWritable ?? true
        stalledSince = isWritable ? nil : .now()
        stalledBytes = 0
        for version in versions.values { version.setReading(isWritable) }
        if isWritable { shared.release(self) }
        watch()
    }

    /// Looks from time to time whether the client takes too long over something.
    private func watch() {
        guard port != nil, let deadline else { return }
        let due = max(deadline, .now() + .milliseconds(10))
        if let timer {
            // One that is too early looks again; one that is too late would be late.
            guard due < timer.due else { return }
            timer.task.cancel()
        }
        let task = loop.assumeIsolated().scheduleTask(deadline: due) {
            self.timer = nil
            self.checkTime()
            self.finishTurn()
        }
        timer = (due, task)
    }

    private var deadline: NIODeadline? {
        // Asked in every turn, and nearly always there is none.
        guard partialSince != nil || stalledSince != nil || drainingSince != nil || limits.idleTimeout != nil else {
            return nil
        }
        var deadlines: [NIODeadline] = []
        if let partialSince { deadlines.append(partialSince + limits.requestTimeout.timeAmount) }
        if let stalledSince { deadlines.append(stalledSince + limits.stalledClientTimeout.timeAmount) }
        if let idle = limits.idleTimeout, callbacks.isQuiescent { deadlines.append(lastActivity + idle.timeAmount) }
        if let end = drainingEnd { deadlines.append(end) }
        return deadlines.min()
    }

    /// When one that cannot move is closed: once it is quiet, or has had long enough; not in the middle of a request.
    private var drainingEnd: NIODeadline? {
        guard let drainingSince, callbacks.isQuiescent else { return nil }
        return min(
            max(lastActivity, drainingSince) + limits.handoverQuietTime.timeAmount,
            drainingSince + limits.handoverTimeout.timeAmount)
    }

    private func checkTime() {
        let now = NIODeadline.now()
        if let end = drainingEnd, now >= end { isEnding = true }
        if let stalledSince, now >= stalledSince + limits.stalledClientTimeout.timeAmount {
            server.count { $0.refused += 1 }
            // What it does not take can not leave either.
            isEnding = true
            return port?.abort() ?? ()
        }
        if let partialSince, now >= partialSince + limits.requestTimeout.timeAmount {
            refuse(.limitExceeded("a request was not complete within \(limits.requestTimeout)"))
        } else if let idle = limits.idleTimeout, callbacks.isQuiescent, now >= lastActivity + idle.timeAmount {
            isEnding = true
        }
        endIfDone()
    }

    /// The client said something.
    func noteActivity() { if limits.idleTimeout != nil || drainingSince != nil { lastActivity = .now() } }

    deinit { timer?.task.cancel() }
}
