import NIOCore
import VersionKitModel
import VersionKitRouter

/// One end of a relayed connection.
struct RelayEnd {
    var socket: Int32
    /// What epoll watches this socket for; `nil`: it is not in the set.
    var interest: UInt32?
    /// Bytes that could not be sent to this end yet. The other end is not read while there are any, so one read is
    /// the most that this holds.
    var unsent = ByteBuffer()
    /// Bytes of this end's header, as long as it is awaited; `nil` afterwards.
    var header: ByteBuffer?
    /// This end will send no more.
    var isFinished = false
    /// The end of the other side was passed on to this one.
    var isShut = false

    init(socket: Int32) { self.socket = socket }
}

/// A connection between a version on this node and a peer's router.
///
/// Owned by the relay's thread alone.
final class RelayedConnection {
    /// How far the connection is.
    enum Phase {
        /// A peer's header is being read; there is no other end yet.
        case identifying(port: UInt16)
        /// The second end's connection is under way; `greeting` goes to the peer when it stands.
        case connecting(greeting: ByteBuffer)
        /// Both ends stand.
        case relaying
    }

    /// The end that came to us: the application for outbound connections, the peer for inbound ones.
    var near: RelayEnd
    /// The end that we opened.
    var far: RelayEnd?
    var phase: Phase
    /// The peer's address.
    let peer: Endpoint
    /// Whose bytes these are; `nil` until an inbound connection is identified.
    var owner: (application: ApplicationID, version: Version)?
    /// Whether a version here opened it.
    let isOutbound: Bool
    /// When opening it counts as failed, on the relay's clock.
    var deadline: Duration

    init(near: Int32, phase: Phase, peer: Endpoint, isOutbound: Bool, deadline: Duration) {
        self.near = RelayEnd(socket: near)
        self.phase = phase
        self.peer = peer
        self.isOutbound = isOutbound
        self.deadline = deadline
    }
}
