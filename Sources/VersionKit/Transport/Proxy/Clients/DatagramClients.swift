import NIOCore
import NIOPosix
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Clients on a UDP socket: every datagram is one request, and what the session answers is one datagram back.
///
/// A request has a session, and sockets towards the versions, of its own. So a reply that was lost or came late can never
/// be taken for another request's, whatever the protocol; and nothing is remembered of a client between two datagrams.
/// A datagram that is not exactly one request is refused.
final class DatagramClients: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let server: ProxyServer
    private let versionPort: UInt16?
    private var underWay = 0

    init(_ server: ProxyServer, _ versionPort: UInt16?) {
        self.server = server
        self.versionPort = versionPort
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let datagram = unwrapInboundIn(data)
        guard underWay < server.bounds.datagramRequestsMax else { return server.count { $0.refused += 1 } }
        underWay += 1
        let session = ClientSession(
            server: server, callbacks: server.newCallbacks(), loop: context.eventLoop,
            rest: ClientRemainder(versionPort: versionPort))
        session.isDatagram = true
        session.addresses = context.localAddress.map { (datagram.remoteAddress, $0) }
        let port = DatagramClient(session, context, datagram.remoteAddress) { self.underWay -= 1 }
        session.begin(port)
        session.received(datagram.data)
        session.isInputClosed = true
        if session.unread.count > 0, session.callbacks.isQuiescent {
            server.count { $0.refused += 1 }
            session.isEnding = true
        }
        session.endIfDone()
        session.finishTurn()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A datagram that could not be sent, or an ICMP message that one could not be delivered: as if it was lost.
        server.count { $0.refused += 1 }
    }
}

/// The sender of one datagram.
private final class DatagramClient: ClientPort {
    private let session: ClientSession
    private let context: ChannelHandlerContext
    private let address: SocketAddress
    private let onClose: () -> Void
    private var reply: ByteBuffer?
    private var isClosed = false

    init(
        _ session: ClientSession, _ context: ChannelHandlerContext, _ address: SocketAddress,
        onClose: @escaping () -> Void
    ) {
        self.session = session
        self.context = context
        self.address = address
        self.onClose = onClose
    }

    let isWritable = true

    func write(_ bytes: ByteBuffer) {
        if reply == nil { reply = bytes } else { reply?.writeImmutableBuffer(bytes) }
    }

    func writeAndFlush(_ bytes: ByteBuffer) {
        write(bytes)
        flush()
    }

    private func flush() {
        guard let bytes = reply else { return }
        reply = nil
        context.writeAndFlush(NIOAny(AddressedEnvelope(remoteAddress: address, data: bytes)), promise: nil)
    }

    func setReading(_ isReading: Bool) {}

    func abort() { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        flush()
        onClose()
        session.clientGone()
    }
}
