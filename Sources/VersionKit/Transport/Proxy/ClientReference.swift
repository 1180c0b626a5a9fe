import NIOCore
import VersionKitProxy

/// How other threads reach one client connection: every call hops to its event loop.
struct ClientReference<Callbacks: ProxyCallbacks>: Sendable {
    let id: ObjectIdentifier
    private let loop: any EventLoop
    private let bound: NIOLoopBound<ClientConnection<Callbacks>>
    private let closeFuture: EventLoopFuture<Void>

    init(_ connection: ClientConnection<Callbacks>, channel: any Channel) {
        id = ObjectIdentifier(connection)
        loop = channel.eventLoop
        bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        closeFuture = channel.closeFuture
    }

    /// Tells the connection of new versions; returns when all its requests went by them.
    func apply(_ table: VersionTable) async {
        let (bound, loop) = (bound, loop)
        let applied = loop.flatSubmit { bound.value.apply(table, on: loop) }
        // The only failure is a connection that closed meanwhile, and that has no requests.
        try? await applied.get()
    }

    /// Tells the connection to move to the successor as soon as it can.
    func move() {
        let bound = bound
        loop.execute { bound.value.moveIfPossible() }
    }

    /// Returns when the connection has left this process.
    func closed() async { try? await closeFuture.get() }
}
