import NIOCore
import VersionKitModel

/// What all clients on one event loop share: connections to versions.
///
/// Lives on its loop.
final class ProxyLoop {
    let busyPoll: BusyPoll
    private let loop: any EventLoop
    private let limits: Limits
    private var connections: [Version: SharedConnection] = [:]
    /// Clients that are not read from until a shared connection takes bytes again.
    private var blocked: [ObjectIdentifier: ClientSession] = [:]
    /// Clients that have to take bytes before shared connections are read from again.
    private var stalled: Set<ObjectIdentifier> = []

    init(_ loop: any EventLoop, _ limits: Limits) {
        self.loop = loop
        self.limits = limits
        busyPoll = BusyPoll(loop, window: limits.busyPollTime.timeAmount)
    }

    /// The connection to a version, opened if there is none.
    func connection(to version: Version, _ endpoint: Endpoint) -> SharedConnection {
        if let open = connections[version] { return open }
        let opened = SharedConnection(version, endpoint, self, loop: loop, limits: limits)
        connections[version] = opened
        if !stalled.isEmpty { opened.setReading(false) }
        return opened
    }

    /// A connection is gone.
    func forget(_ version: Version, _ connection: SharedConnection) {
        if connections[version] === connection { connections[version] = nil }
        unblock()
    }

    /// Closes the connections to versions that are not listed any more. What they owe, nobody waits for: all clients of
    /// the loop hear of the list in the same turn.
    func keep(_ versions: VersionList) {
        for (version, connection) in connections where !versions.contains(version) {
            connections[version] = nil
            connection.close()
        }
    }

    /// Closes the connections to these versions, which owe nothing.
    func leave(_ versions: [Version]) {
        for version in versions { connections.removeValue(forKey: version)?.close() }
    }

    // MARK: Pace

    /// Whether clients may be read from: false while too much waits to be sent.
    var isWritable: Bool { connections.values.allSatisfy(\.isWritable) }

    /// Remembers a client that may not be read from.
    ///
    /// - Returns: `false`.
    func block(_ client: ClientSession) -> Bool {
        blocked[ObjectIdentifier(client)] = client
        return false
    }

    /// Shared connections may take bytes again.
    func unblock() {
        guard isWritable else { return }
        let clients = blocked
        blocked = [:]
        for client in clients.values { client.updateReading() }
    }

    /// Reads no more replies until this client has taken those that it was sent.
    func hold(for client: ClientSession) {
        guard stalled.insert(ObjectIdentifier(client)).inserted, stalled.count == 1 else { return }
        for connection in connections.values { connection.setReading(false) }
    }

    /// A client is gone: nobody waits for it, and it waits for nothing.
    func forget(_ client: ClientSession) {
        blocked[ObjectIdentifier(client)] = nil
        release(client)
    }

    /// A client takes bytes again.
    func release(_ client: ClientSession) {
        guard stalled.remove(ObjectIdentifier(client)) != nil, stalled.isEmpty else { return }
        for connection in connections.values { connection.setReading(true) }
    }
}

/// The event loops of a proxy.
struct ProxyLoops: Sendable {
    private let limits: Limits
    private let boxes: [ObjectIdentifier: NIOLoopBoundBox<ProxyLoop?>]

    init(_ group: any EventLoopGroup, _ limits: Limits) {
        self.limits = limits
        boxes = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map { loop in
                (ObjectIdentifier(loop), .makeEmptyBox(valueType: ProxyLoop.self, eventLoop: loop))
            })
    }

    /// What the clients of this loop share; called on the loop.
    subscript(loop: any EventLoop) -> ProxyLoop {
        guard let box = boxes[ObjectIdentifier(loop)] else { preconditionFailure("a loop of another group") }
        if let known = box.value { return known }
        let made = ProxyLoop(loop, limits)
        box.value = made
        return made
    }
}
