import NIOCore
import VersionKitProxy

/// A client on a TCP or Unix socket: the end of its channel's pipeline.
final class StreamClient: ChannelInboundHandler, ClientPort {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: ClientSession
    private var context: ChannelHandlerContext?
    private var isReading = false
    private var isClosing = false

    init(_ session: ClientSession) { self.session = session }

    // MARK: From the client

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        if let client = context.remoteAddress, let own = context.localAddress { session.addresses = (client, own) }
        session.begin(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        session.clientGone()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        session.noteActivity()
        session.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) { session.finishTurn() }

    func channelWritabilityChanged(context: ChannelHandlerContext) { session.clientWritabilityChanged() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { session.inputClosed() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client's connection broke; there is nobody to tell.
        context.close(promise: nil)
    }

    // MARK: To the client

    var isWritable: Bool { context?.channel.isWritable ?? true }

    func write(_ bytes: ByteBuffer) { context?.write(wrapOutboundOut(bytes), promise: nil) }

    func writeAndFlush(_ bytes: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }

    func setReading(_ isWanted: Bool) {
        guard isWanted != isReading, let context else { return }
        isReading = isWanted
        // Setting an option of an open channel cannot fail.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isWanted)
    }

    func abort() { context?.close(promise: nil) }

    func close() {
        guard let context, !isClosing else { return }
        isClosing = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }
}
