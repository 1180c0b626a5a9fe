public import NIOCore
public import VersionKitModel
public import VersionKitProxy
import VersionKitWire

/// A whole proxy without sockets: client connections, one order of writes, and whatever versions its user makes of the
/// bytes that were sent to them.
///
/// It does with the callbacks' actions what the engine does, so it says in a page what the engine promises. A value.
public struct InMemoryProxy<Adapter: MessageAdapter> {
    struct Client {
        var proxy: MessageProxy<Adapter>
        var unread = PeekBuffer()
        var received = ByteBuffer()
        var isClosed = false
        /// No further request begins until those under way have ended, because the versions changed.
        var isHolding = false
        /// Versions to which it has a connection, and those to which the proxy closed it.
        var links: Set<Version> = []
        var dropped: Set<Version> = []
        var sent: [Version: ByteBuffer] = [:]
        var replies: [Version: PeekBuffer] = [:]
        var owner: UInt64

        /// Lets the callbacks have the client's bytes; how many they used.
        mutating func parse(_ handler: inout ConnectionHandler) -> Int {
            guard unread.count > 0, !isClosed else { return 0 }
            unread.resetPeek()
            do throws(ProxyError) {
                let used = try proxy.handleRequest(from: nil, &unread, &handler)
                unread.consume(used)
                return used
            } catch {
                handler.closeClient(error)
                return 0
            }
        }

        /// Lets the callbacks have a version's bytes, as long as they use some; whether they make sense.
        mutating func parse(from version: Version, _ bytes: ByteBuffer, _ handler: inout ConnectionHandler) -> Bool {
            var buffer = replies.removeValue(forKey: version) ?? PeekBuffer()
            buffer.append(bytes)
            var used = 1
            while used > 0, buffer.count > 0 {
                buffer.resetPeek()
                do throws(ProxyError) {
                    used = try proxy.handleReply(from: version, &buffer, &handler)
                    buffer.consume(used)
                } catch {
                    return false
                }
            }
            replies[version] = buffer
            return true
        }
    }

    let adapter: Adapter
    let limits: Limits
    var clients: [String: Client] = [:]
    /// Whether clients may share connections; what is sent on them is under the name ``everybody``.
    public var sharesConnections = false
    var shared: [Version: SharedLink] = [:]
    private var order = WriteOrder()
    /// The versions that run.
    public private(set) var versions = VersionList()
    /// Versions that are not read from, and whose writes are kept.
    public var behind: [Version] = []
    /// What versions missed, in order.
    public var missed: [Version: [MissedWrite]] = [:]
    /// Versions whose answers were needed, in order.
    public var needed: [Version] = []
    /// Versions that came to differ for good, in order.
    public var diverged: [Version] = []
    /// Versions that did not do the last write which another did, and will not.
    public var failing: [Version] = []
    /// What the writes that asked for their turn are ordered by; `nil`: everything.
    public var ordered: [Set<KeyMark>?] = []
    /// Requests that were answered, and those of them that failed.
    public internal(set) var answered = (all: 0, failed: 0)
    /// Milliseconds since 1970, as callbacks see them.
    public var milliseconds: Int64 = 1_700_000_000_000
    /// Keys that are to be copied to versions which are not behind, and take writes all the while.
    public var unlike: [(version: Version, keys: Keys)] = []
    /// Whether versions that only need a copy are ``unlike`` the others, as in the engine, and not behind.
    package var copiesMeanwhile = false
    /// Versions that are to be compared as soon as nobody lacks what only they have.
    var doubted: Set<Version> = []
    /// What outlives the proxy.
    var log = Log()
    /// Whether its log has single keys; off, it is one that does not say who has what, for tests of tests.
    package var logsKeys = true
    /// After how many further actions it is killed; `nil`: never.
    var actionsLeft: Int?
    /// Turns that belong to no client, and whether they are granted.
    private var holds: [UInt64: Bool] = [:]
    private var lastHold = UInt64.max
    /// Turns that nobody was told of yet, and how many lists of actions are being carried out.
    private var grants: [WriteOrder.Ticket] = []
    private var performing = 0
    /// Whether writes are ordered; off, it is a proxy that loses data, for tests of tests.
    public var ordersWrites = true

    /// A proxy without clients.
    public init(_ adapter: Adapter, versions: VersionList = [], limits: Limits = .standard) {
        self.adapter = adapter
        self.limits = limits
        self.versions = versions
    }

    // MARK: What happens

    /// A client sends bytes; the first ones open its connection.
    public mutating func say(_ bytes: ByteBuffer, as client: String) {
        precondition(client != Self.everybody, "nobody is everybody")
        if clients[client] == nil {
            clients[client] = Client(proxy: MessageProxy(adapter, limits: limits), owner: UInt64(clients.count + 1))
        }
        clients[client]?.unread.append(bytes)
        process(client)
    }

    /// A version sends bytes on a client's connection to it.
    public mutating func answer(_ bytes: ByteBuffer, from version: Version, to client: String) {
        if client == Self.everybody { return answerShared(bytes, from: version) }
        var handler = makeHandler()
        let isLost = clients[client]?.parse(from: version, bytes, &handler) == false
        perform(&handler, client)
        if isLost {
            drop(version, client)
            lose(version, of: client)
        }
        process(client)
    }

    /// A client's connection to a version ends, or never came about: then nothing of what it was sent has arrived.
    public mutating func lose(_ version: Version, of client: String, isUnreached: Bool = false) {
        if client == Self.everybody { return loseShared(version) }
        clients[client]?.replies[version] = nil
        clients[client]?.sent[version] = nil
        clients[client]?.links.remove(version)
        var handler = makeHandler(unreached: isUnreached ? version : nil)
        clients[client]?.proxy.versionLost(version, &handler)
        perform(&handler, client)
        process(client)
    }

    /// A client closes its connection. What it began is ended nevertheless, and nobody gets the answers.
    public mutating func leave(_ client: String) {
        clients[client]?.isClosed = true
        clients[client]?.unread = PeekBuffer()
    }

    /// So much time passes that versions which owe a client a reply count as lost.
    ///
    /// - Returns: whether there were any.
    public mutating func timeOut(_ client: String) -> Bool {
        let silent = versions.filter { clients[client]?.proxy.isAwaiting($0) == true }
        for version in silent { lose(version, of: client) }
        let shared = shared.filter { $0.value.owed.contains { $0.client == client } }.keys.sorted()
        for version in shared {
            dropShared(version)
            loseShared(version)
        }
        return !silent.isEmpty || !shared.isEmpty
    }

    /// Other versions run from now on.
    public mutating func change(_ versions: VersionList) {
        self.versions = versions
        behind.removeAll { !versions.contains($0) }
        failing.removeAll { !versions.contains($0) || versions.count < 2 }
        log.versions = log.versions.filter { versions.contains($0.key) && versions.count > 1 }
        for version in shared.keys where !versions.contains(version) { dropShared(version) }
        for client in clients.keys.sorted() {
            var handler = makeHandler()
            clients[client]?.isHolding = true
            clients[client]?.proxy.versionsChanged(&handler)
            perform(&handler, client)
            for version in clients[client]?.links ?? [] where !versions.contains(version) { drop(version, client) }
            process(client)
        }
    }

    // MARK: What comes of it

    /// What a client got since this was asked last.
    public mutating func takeReceived(by client: String) -> ByteBuffer {
        defer { clients[client]?.received = ByteBuffer() }
        return clients[client]?.received ?? ByteBuffer()
    }

    /// What was sent to a version on a client's connection since this was asked last.
    public mutating func takeSent(to version: Version, by client: String) -> ByteBuffer {
        if client == Self.everybody { return takeSharedSent(to: version) }
        defer { clients[client]?.sent[version] = nil }
        return clients[client]?.sent[version] ?? ByteBuffer()
    }

    /// The clients' connections to versions on which bytes wait to be taken, in a fixed order.
    public var waiting: [(client: String, version: Version)] {
        clients.keys.sorted().flatMap { client in
            (clients[client]?.sent ?? [:]).filter { $0.value.readableBytes > 0 }.keys.sorted().map { (client, $0) }
        } + shared.filter { $0.value.sent.readableBytes > 0 }.keys.sorted().map { (Self.everybody, $0) }
    }

    /// Whether the proxy has closed a client's connection to a version since this was asked last.
    public mutating func takeDropped(_ version: Version, of client: String) -> Bool {
        if client == Self.everybody { return takeSharedDropped(version) }
        return clients[client]?.dropped.remove(version) != nil
    }

    /// Whether the proxy closed a client's connection.
    public func isClosed(_ client: String) -> Bool { clients[client]?.isClosed ?? false }

    /// Whether nothing of this client's is under way.
    public func isQuiescent(_ client: String) -> Bool { clients[client]?.proxy.isQuiescent ?? true }

    // MARK: The engine's part

    func makeHandler(unreached: Version? = nil) -> ConnectionHandler {
        ConnectionHandler(
            versions: versions, behind: behind, unlike: unlike, failing: failing, unreached: unreached,
            milliseconds: milliseconds,
            canShare: sharesConnections)
    }

    mutating func process(_ client: String) {
        if clients[client]?.isHolding == true {
            guard isQuiescent(client) else { return }
            clients[client]?.isHolding = false
        }
        var used = 1
        while used > 0 {
            var handler = makeHandler()
            used = clients[client]?.parse(&handler) ?? 0
            perform(&handler, client)
        }
    }

    mutating func perform(_ handler: inout ConnectionHandler, _ client: String) {
        performing += 1
        defer {
            performing -= 1
            grant()
        }
        for action in handler.takeActions() where acts() {
            switch action {
            case .send(let bytes, let version):
                clients[client]?.links.insert(version)
                clients[client]?.sent[version, default: ByteBuffer()].writeImmutableBuffer(bytes)
            case .sendShared(let bytes, let version, let replies): sendShared(bytes, replies, to: version, client)
            case .reply(let bytes): clients[client]?.received.writeImmutableBuffer(bytes)
            case .order(let number, let keys): order(number, KeyMarks(keys), client)
            case .orderRun(let number, let marks): order(number, .each(marks), client)
            case .finish(let number): finish(number, client)
            case .catchUp(let write, let version): miss(write, version)
            case .drop(let version): drop(version, client)
            case .needed(let version): needed.append(version)
            case .diverged(let version): diverged.append(version)
            case .failing(let version, _): if !failing.contains(version) { failing.append(version) }
            case .working(let version): failing.removeAll { $0 == version }
            case .answered(let failed):
                answered.all += 1
                answered.failed += failed ? 1 : 0
            case .answeredRun(let count): answered.all += count
            case .closeClient: clients[client]?.isClosed = true
            }
        }
    }

    // MARK: What versions lack

    /// Whose state is the truth for whom.
    var standings: VersionStandings {
        VersionStandings(
            versions: versions, behind: Set(behind), unlike: unlike.map { .init(version: $0.version, keys: $0.keys) })
    }

    /// What a version missed is kept.
    ///
    /// - Parameter isDown: it is no use to copy the keys while it takes writes.
    /// - Returns: whether somebody is behind, or unlike: not yet if others lack something, too.
    @discardableResult
    mutating func miss(_ write: MissedWrite, _ version: Version, isDown: Bool = false) -> Bool {
        if copiesMeanwhile, !isDown, write.keys != .everything, !write.keys.isEmpty, !behind.contains(version) {
            // One copy is enough for all who find the keys unlike.
            guard !unlike.contains(where: { $0.version == version && $0.keys == write.keys }) else { return true }
            unlike.append((version, write.keys))
            note(VersionStandings.Unlike(version: version, keys: write.keys))
            return true
        }
        // Where single keys are not copied, what a version lacks of them says nothing of others.
        let standings =
            copiesMeanwhile ? standings : VersionStandings(versions: versions, behind: Set(behind), unlike: [])
        let fallen = standings.fallen(with: version)
        guard !fallen.isEmpty else {
            doubted.insert(version)
            note(doubtOf: version)
            return false
        }
        if doubted.remove(version) != nil, !fallen.contains(version) { forgetIfWhole(version) }
        for target in fallen {
            note(everythingOf: target)
            missed[target, default: []].append(target == version ? write : MissedWrite(write.keys, .copy))
            if !behind.contains(target) { behind.append(target) }
        }
        return true
    }

    /// It is not known any more what a version has.
    mutating func distrust(_ version: Version) {
        guard versions.count > 1, versions.contains(version) else { return }
        miss(MissedWrite(.everything, .copy), version)
    }

    /// Keys were copied to a version, or it is behind.
    mutating func mended(_ version: Version, _ keys: Keys) {
        unlike.removeAll { $0.version == version && $0.keys == keys }
        note(copied: VersionStandings.Unlike(version: version, keys: keys))
        for version in doubted.sorted() { distrust(version) }
    }

    /// A version that was behind is not any more.
    mutating func caughtUp(_ version: Version) {
        behind.removeAll { $0 == version }
        forgetIfWhole(version)
    }

    /// Whether all versions have everything, and no write is under way.
    var isCalm: Bool { behind.isEmpty && unlike.isEmpty && order.count == 0 }

    /// Whether nothing is under way that a client asked for by an older list of versions.
    var isSettled: Bool { !clients.values.contains { $0.isHolding } }

    private mutating func drop(_ version: Version, _ client: String) {
        guard clients[client]?.links.remove(version) != nil else { return }
        clients[client]?.sent[version] = nil
        clients[client]?.replies[version] = nil
        clients[client]?.dropped.insert(version)
    }

    private mutating func order(_ number: Int, _ keys: KeyMarks, _ client: String) {
        ordered.append(keys.marks)
        guard let owner = clients[client]?.owner else { return }
        if !ordersWrites || order.ask(.init(owner: owner, number: number), by: keys) { granted(number, client) }
    }

    private mutating func granted(_ number: Int, _ client: String) {
        var handler = makeHandler()
        clients[client]?.proxy.ordered(number, &handler)
        perform(&handler, client)
    }

    private mutating func finish(_ number: Int, _ client: String) {
        guard ordersWrites, let owner = clients[client]?.owner else { return }
        granted(order.finish(.init(owner: owner, number: number)))
    }

    private mutating func granted(_ tickets: [WriteOrder.Ticket]) {
        // In an order that does not depend on how this process hashes keys: a seed is to show the same in each.
        grants += tickets.sorted(by: { ($0.owner, $0.number) < ($1.owner, $1.number) })
        grant()
    }

    /// Tells those of their turn who got it: once everything is done that gave it to them, as the engine does.
    private mutating func grant() {
        while performing == 0, !grants.isEmpty {
            let ticket = grants.removeFirst()
            if holds[ticket.owner] != nil { holds[ticket.owner] = true }
            guard let next = clients.first(where: { $0.value.owner == ticket.owner })?.key else { continue }
            granted(ticket.number, next)
            process(next)
        }
    }

    // MARK: Turns that belong to no client

    /// Asks that nobody writes to these keys until ``release(_:)``.
    mutating func hold(_ keys: Keys) -> UInt64 {
        lastHold -= 1
        holds[lastHold] = false
        if order.ask(.init(owner: lastHold, number: 0), for: keys) { holds[lastHold] = true }
        return lastHold
    }

    func isHeld(_ hold: UInt64) -> Bool { holds[hold] == true }

    mutating func release(_ hold: UInt64) {
        holds[hold] = nil
        granted(order.finish(.init(owner: hold, number: 0)))
    }
}
