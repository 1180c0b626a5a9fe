public import NIOCore
public import VersionKitModel
public import VersionKitProxy
import VersionKitWire

/// Clients, a proxy and versions in memory, in an order of events that a seed decides: slow, reordered between
/// connections, with whatever ``Faults`` were asked for. The same seed makes the same run.
///
/// What a version misses is brought to it amid all this, as the engine does, so that in the end all versions are to be
/// the same.
///
/// ```swift
/// let models = [1: StoreModel(chance: 1), 2: StoreModel(chance: 2)] as [Version: StoreModel]
/// var simulation = Simulation(StoreAdapter(), versions: models, seed: 7)
/// let requests = ["client1": ["set a 1\n", "get a\n"], "client2": ["set a 2\n"]]
/// try simulation.run(clients: requests.mapValues { $0.map { ByteBuffer(string: $0) } })
/// #expect(simulation.versions[1] == simulation.versions[2])
/// ```
public struct Simulation<Adapter: MessageAdapter, Model: VersionModel> {
    /// The versions, with what they know.
    public internal(set) var versions: [Version: Model]
    /// The proxy between them and the clients.
    public var proxy: InMemoryProxy<Adapter>
    /// All that each client got.
    public private(set) var received: [String: ByteBuffer] = [:]
    /// What clients asked and got, connection by connection: a proxy that is killed ends all.
    package private(set) var conversations: [(asked: [ByteBuffer], received: ByteBuffer)] = []
    private var asked: [String: [ByteBuffer]] = [:]

    struct Link: Hashable {
        var client: String
        var version: Version
    }

    /// The lists of versions that are still to come, each when all versions have everything: an upgrade for example. One
    /// that comes onto the list has all of its keys compared.
    public var stages: [VersionList] = []

    let adapter: Adapter
    let copier: KeyCopier<Adapter>?
    let limits: Limits
    let seed: UInt64
    let faults: Faults
    private let bringsUpToDate: Bool
    private var generator: SeededGenerator
    private var unread: [Link: PeekBuffer] = [:]
    private var replies: [Link: [ByteBuffer]] = [:]
    /// What versions missed, on its way to them.
    var catchUps: [Version: CatchUp] = [:]
    var mends: [Mend] = []

    /// A simulation in which nothing has happened.
    ///
    /// - Parameter bringsUpToDate: whether versions get what they missed. If not, it stays in the proxy's
    ///   ``InMemoryProxy/missed``.
    public init(
        _ adapter: Adapter, versions: [Version: Model], faults: Faults = Faults(), bringsUpToDate: Bool = true,
        limits: Limits = .standard, seed: UInt64
    ) {
        self.adapter = adapter
        self.bringsUpToDate = bringsUpToDate
        self.limits = limits
        self.versions = versions
        self.faults = faults
        self.seed = seed
        generator = SeededGenerator(seed: seed)
        copier = KeyCopier(of: adapter)
        proxy = InMemoryProxy(adapter, versions: VersionList(versions.keys), limits: limits)
        proxy.copiesMeanwhile = bringsUpToDate && adapter.copiesKeys
    }

    /// Has clients send these requests, each its own in order, until everything is answered.
    ///
    /// - Throws: ``VerificationFailure`` with the seed if it comes to no end.
    public mutating func run(clients: [String: [ByteBuffer]], stepsMax: Int = 50_000) throws {
        var todo = clients.mapValues { $0[...] }
        for _ in 0..<stepsMax {
            var events: [Event] = todo.keys.sorted().filter { todo[$0]?.isEmpty == false }.map { .request($0) }
            take()
            if bringsUpToDate {
                if !events.isEmpty, happens(faults.distrusted), let version = anyVersion() {
                    proxy.distrust(version)
                }
                if !events.isEmpty, proxy.actionsLeft == nil, happens(faults.killed) {
                    proxy.actionsLeft = Int.random(in: 1...12, using: &generator)
                }
                events += catchUpEvents()
                if !stages.isEmpty, catchUps.isEmpty, mends.isEmpty, proxy.isCalm { events.append(.stage) }
            }
            let order = { (one: Link, other: Link) in (one.client, one.version) < (other.client, other.version) }
            events += unread.filter { $0.value.count > 0 }.keys.sorted(by: order).map { .work($0) }
            events += replies.filter { !$0.value.isEmpty }.keys.sorted(by: order).map { .reply($0) }
            guard let event = events.randomElement(using: &generator) else {
                // Nothing moves any more. Whoever owes something now, owes it for too long.
                if clients.keys.sorted().contains(where: { proxy.timeOut($0) }) { continue }
                return try finish(Array(clients.keys))
            }
            switch event {
            case .request(let client):
                // Several at one time: clients pipeline.
                var next = ByteBuffer()
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    guard let request = todo[client]?.popFirst() else { break }
                    next.writeImmutableBuffer(request)
                    asked[client, default: []].append(request)
                }
                proxy.say(next, as: client)
            case .work(let link): work(link)
            case .reply(let link):
                if let reply = replies[link]?.removeFirst() { proxy.answer(reply, from: link.version, to: link.client) }
            case .catchUp(let version): try catchUp(version)
            case .mend(let number): try mend(number)
            case .stage: nextStage()
            }
            if proxy.isDead { restart(Array(clients.keys)) }
        }
        let steps = catchUps.map { "version \($0.key): \(String(describing: $0.value.next?.step))" }
        throw VerificationFailure(
            "no end after \(stepsMax) steps: behind \(proxy.behind), unlike \(proxy.unlike), catching up \(steps), "
                + "seed \(seed)")
    }

    enum Event {
        case request(String)
        case work(Link)
        case reply(Link)
        case catchUp(Version)
        case mend(Int)
        case stage
    }

    private mutating func anyVersion() -> Version? { proxy.versions.randomElement(using: &generator) }

    private mutating func nextStage() {
        let before = proxy.versions
        proxy.change(stages.removeFirst())
        for version in proxy.versions where !before.contains(version) { proxy.distrust(version) }
    }

    private mutating func finish(_ clients: [String]) throws {
        for client in clients {
            endConversation(client)
            guard proxy.isQuiescent(client) || proxy.isClosed(client) else {
                throw VerificationFailure("\(client) waits for ever, seed \(seed)")
            }
        }
        guard !bringsUpToDate || (catchUps.isEmpty && mends.isEmpty) else {
            throw VerificationFailure("versions are never up to date: \(catchUps.keys) \(mends), seed \(seed)")
        }
    }

    private mutating func endConversation(_ client: String) {
        let bytes = proxy.takeReceived(by: client)
        received[client, default: ByteBuffer()].writeImmutableBuffer(bytes)
        conversations.append((asked.removeValue(forKey: client) ?? [], bytes))
    }

    /// The proxy was killed. Of what it sent, versions do as much as reaches them.
    private mutating func restart(_ clients: [String]) {
        for client in clients.sorted() { endConversation(client) }
        let order = { (one: Link, other: Link) in (one.client, one.version) < (other.client, other.version) }
        for link in unread.keys.sorted(by: order) {
            while happens(70), (unread[link]?.count ?? 0) > 0 { work(link) }
        }
        (unread, replies, catchUps, mends) = ([:], [:], [:], [])
        proxy = proxy.restarted()
    }

    /// Bytes that the proxy sent are on their way. What was on a connection that it closed is gone.
    private mutating func take() {
        for link in Set(unread.keys).union(replies.keys) where proxy.takeDropped(link.version, of: link.client) {
            unread[link] = nil
            replies[link] = nil
        }
        for (client, version) in proxy.waiting {
            unread[Link(client: client, version: version), default: PeekBuffer()]
                .append(proxy.takeSent(to: version, by: client))
        }
    }

    private mutating func work(_ link: Link) {
        if happens(faults.lostBefore) { return lose(link) }
        guard var bytes = unread[link], var model = versions[link.version] else { return }
        bytes.resetPeek()
        let isRefused = happens(faults.refused)
        let before = model
        var answer = model.answer(&bytes)
        bytes.consume(bytes.peekedBytes)
        unread[link] = answer == nil ? nil : bytes
        if isRefused, answer != nil { answer = faults.refusal }
        versions[link.version] = isRefused ? before : model
        guard let answer, answer.readableBytes > 0 else { return }
        if happens(faults.lostAfter) { return lose(link) }
        let isGarbage = happens(faults.garbage)
        let reply =
            isGarbage
            ? ByteBuffer(bytes: Damage.apply(to: Array(answer.readableBytesView), using: &generator)) : answer
        replies[link, default: []].append(reply)
        if happens(faults.twice) { replies[link, default: []].append(answer) }
    }

    private mutating func lose(_ link: Link) {
        unread[link] = nil
        replies[link] = nil
        proxy.lose(link.version, of: link.client)
    }

    mutating func happens(_ percent: Int) -> Bool {
        percent > 0 && Int.random(in: 0..<100, using: &generator) < percent
    }
}
