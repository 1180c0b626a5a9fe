import NIOCore
import VersionKitProxy

/// How other threads reach one client: every call hops to its event loop.
struct ClientReference: Sendable {
    let id: ObjectIdentifier
    private let loop: any EventLoop
    private let bound: NIOLoopBound<ClientSession>

    init(_ session: ClientSession, loop: any EventLoop) {
        id = ObjectIdentifier(session)
        self.loop = loop
        bound = NIOLoopBound(session, eventLoop: loop)
    }

    /// Tells the client's session of new versions; kept when all its requests go by them.
    func apply(_ table: VersionTable) -> EventLoopFuture<Void> {
        let bound = bound
        return loop.flatSubmit { bound.value.apply(table) }
    }

    /// Tells the session to move to the successor as soon as it can.
    func move() {
        let bound = bound
        loop.execute {
            bound.value.process()
            bound.value.finishTurn()
        }
    }
}
