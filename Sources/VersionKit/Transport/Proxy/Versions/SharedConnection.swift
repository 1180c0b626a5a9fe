import DequeModule
import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// A connection of all clients on one event loop to one version, for requests that mean the same whoever sends them.
///
/// The version reads and writes once for what many clients ask at one time, and so do we. Replies come in the order of
/// the requests, so who is owed how many says whose they are. A client that left is still owed its replies, and lets
/// them go.
///
/// Lives on its loop.
final class SharedConnection: VersionConnectionOwner {
    private let version: Version
    private let loop: any EventLoop
    private unowned let shared: ProxyLoop
    private var connection: VersionConnection?
    private var owed: Deque<(client: ClientSession, replies: Int)> = []
    /// Clients that got something in this turn of the loop.
    private var served: [ClientSession] = []
    private var isFlushDue = false

    init(_ version: Version, _ endpoint: Endpoint, _ shared: ProxyLoop, loop: any EventLoop, limits: Limits) {
        self.version = version
        self.loop = loop
        self.shared = shared
        let connection = VersionConnection(owner: self, version: version, loop: loop, limits: limits)
        self.connection = connection
        connection.open(endpoint, watchedBy: shared.busyPoll)
    }

    let isDatagram = false

    var isWritable: Bool { connection?.isWritable ?? true }

    func setReading(_ isReading: Bool) { connection?.setReading(isReading) }

    /// Sends requests with all others of this turn of the loop.
    func send(_ bytes: ByteBuffer, _ replies: Int, for client: ClientSession) {
        owed.append((client, replies))
        connection?.send(bytes)
        guard !isFlushDue else { return }
        isFlushDue = true
        loop.assumeIsolated().execute {
            self.isFlushDue = false
            self.connection?.flush()
        }
    }

    /// Closes without telling anybody: they know.
    func close() {
        connection?.close()
        connection = nil
        owed = []
    }

    // MARK: From the version

    func isAwaiting(_ version: Version) -> Bool { !owed.isEmpty }

    func received(_ bytes: inout PeekBuffer, from version: Version) throws(ProxyError) {
        while bytes.count > 0 {
            guard let client = owed.first?.client else {
                throw .malformedReply("version \(version) sent \(bytes.count) bytes that nobody asked for")
            }
            let replies = try client.receivedShared(&bytes, from: version)
            guard replies > 0 else { return }
            if served.last !== client { served.append(client) }
            // It may have been closed meanwhile.
            guard !owed.isEmpty else { return }
            owed[0].replies -= replies
            if owed[0].replies == 0 { owed.removeFirst() }
        }
    }

    /// Whoever's reply it is asks on connections of its own from now on: asked again here, it would again be at the
    /// expense of all.
    func receivedUnusable(from version: Version) { owed.first?.client.mayShare = false }

    func finishTurn() {
        let clients = served
        served = []
        for client in clients { client.finishSharedTurn() }
    }

    func updateReading() { shared.unblock() }

    func lost(_ version: Version, _ connection: VersionConnection, wasOpen: Bool) {
        shared.forget(version, self)
        self.connection = nil
        let clients = owed.map(\.client)
        owed = []
        var told: Set<ObjectIdentifier> = []
        for client in clients where told.insert(ObjectIdentifier(client)).inserted {
            client.lostShared(version, wasOpen: wasOpen)
        }
        finishTurn()
    }
}
