import NIOCore
import VersionKitModel
import VersionKitRouter
import VersionKitWire

/// One end of a relayed connection. An end that is idle holds no buffer.
final class RelayEnd {
    var socket: Int32
    /// What epoll watches this socket for; `nil`: it is not in the set.
    var interest: UInt32?
    /// A header that goes to this end in front of the first bytes, in one piece with them.
    var prefix: ByteBuffer?
    /// Bytes that could not be sent to this end yet. The other end is not read while there are any, so one read is
    /// the most that this holds.
    var unsent = ByteBuffer()
    /// Bytes for this end that are in a pipe; never while some are ``unsent``.
    var pipe: SplicePipe?
    /// Bytes of this end's header, as long as it is awaited; `nil` afterwards.
    var header: ByteBuffer?
    /// How what this end sends is moved.
    var splice = AdaptiveSplice()
    /// This end will send no more.
    var isFinished = false
    /// The end of the other side was passed on to this one.
    var isShut = false

    init(socket: Int32) { self.socket = socket }

    /// Whether this end has to take some bytes before the other is read again.
    var isBehind: Bool { unsent.readableBytes > 0 || pipe != nil }
}

/// A connection between a version on this node and a peer.
///
/// Owned by its loop's thread alone.
final class RelayedConnection {
    /// How far the connection is.
    enum Phase: Equatable, Sendable, Codable {
        /// A connection to a peer's router is opened before anybody needs it; there is no near end.
        case pooling
        /// It stands.
        case pooled
        /// A peer's header is being read; there is no far end yet.
        case identifying(port: UInt16)
        /// The far end's connection is under way.
        case connecting(How)
        /// The peer's router, if it has one, is about to answer; the application's bytes wait.
        case probing
        /// Both ends stand.
        case relaying
    }

    /// What a connection that is being opened is for.
    enum How: String, Sendable, Codable {
        /// A version here speaks to a peer, with a header.
        case withHeader
        /// A version here speaks to a peer without a router.
        case plain
        /// A peer's bytes are delivered to a version here.
        case delivery
    }

    /// Where it is in the loop's table, and which of all that ever were there.
    let id: UInt64
    /// The end that came to us: the application for outbound connections, the peer for inbound ones.
    var near: RelayEnd
    /// The end that we opened.
    var far: RelayEnd?
    var phase: Phase
    /// The peer's address.
    let peer: Endpoint
    /// The registered port by which this goes.
    let port: UInt16
    /// Whose bytes these are; `nil` until that is known.
    var owner: (application: ApplicationID, version: Version)?
    /// Who counts them.
    var flow: RelayFlow?
    /// Whether a version here opened it.
    let isOutbound: Bool
    /// The peer seems to have no router: its first byte will prove it.
    var provesPlain = false
    /// Why it is about to end was counted.
    var isRefused = false

    init(id: UInt64, near: Int32, phase: Phase, peer: Endpoint, port: UInt16, isOutbound: Bool) {
        self.id = id
        self.near = RelayEnd(socket: near)
        self.phase = phase
        self.peer = peer
        self.port = port
        self.isOutbound = isOutbound
    }

    var slot: Int { Int(id & 0xFFFF_FFFF) }
    var isPooled: Bool { phase == .pooling || phase == .pooled }
}
