import NIOCore
import NIOPosix
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// One client's connection to one version: opened when the first bytes are sent, gone when it breaks.
///
/// Lives on the client's event loop.
final class VersionConnection<Callbacks: ProxyCallbacks> {
    private enum State {
        case opening(waiting: [ByteBuffer])
        case open(any Channel)
        case closed
    }

    private weak var client: ClientConnection<Callbacks>?
    private let version: Version
    private let loop: any EventLoop
    private let limits: Limits
    private var state = State.opening(waiting: [])
    private var bytes = PeekBuffer()
    private var waitingBytes = 0
    private var lastProgress: NIODeadline
    private var timer: Scheduled<Void>?

    init(client: ClientConnection<Callbacks>, version: Version, loop: any EventLoop, limits: Limits) {
        self.client = client
        self.version = version
        self.loop = loop
        self.limits = limits
        lastProgress = .now()
    }

    /// Whether the client may be read on: false while too much waits to be sent.
    var isWritable: Bool {
        switch state {
        case .opening: waitingBytes < limits.unsentBytesMax
        case .open(let channel): channel.isWritable
        case .closed: true
        }
    }

    func open(_ endpoint: Endpoint) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(limits.connectTimeout.nanoseconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(VersionHandler(bound.value))
                }
            }
            .connect(host: endpoint.address.description, port: Int(endpoint.port))
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.opened(channel)
                case .failure: self.broke()
                }
            }
    }

    private func opened(_ channel: any Channel) {
        guard case .opening(let waiting) = state else { return channel.close(promise: nil) }
        state = .open(channel)
        for buffer in waiting { channel.write(buffer, promise: nil) }
        waitingBytes = 0
        channel.flush()
        client?.writabilityChanged()
    }

    func send(_ buffer: ByteBuffer) {
        if client?.isAwaiting(version) == true, timer == nil {
            lastProgress = .now()
            watch(after: .nanoseconds(limits.replyTimeout.nanoseconds))
        }
        switch state {
        case .opening(var waiting):
            waiting.append(buffer)
            waitingBytes += buffer.readableBytes
            state = .opening(waiting: waiting)
        case .open(let channel): channel.writeAndFlush(buffer, promise: nil)
        case .closed: break
        }
    }

    /// A version that owes a reply and is silent for too long counts as lost.
    private func watch(after delay: TimeAmount) {
        timer = loop.assumeIsolated().scheduleTask(in: delay) {
            self.timer = nil
            guard self.client?.isAwaiting(self.version) == true else { return }
            let left = self.lastProgress + .nanoseconds(self.limits.replyTimeout.nanoseconds) - .now()
            if left <= .zero { self.broke() } else { self.watch(after: left) }
        }
    }

    func setReading(_ isReading: Bool) {
        // Setting an option of an open channel cannot fail.
        if case .open(let channel) = state { try? channel.syncOptions?.setOption(.autoRead, value: isReading) }
    }

    /// Closes without telling the client: it knows.
    func close() {
        if case .open(let channel) = state { channel.close(promise: nil) }
        state = .closed
        timer?.cancel()
        timer = nil
    }

    fileprivate func received(_ buffer: ByteBuffer) {
        guard case .open = state else { return }
        lastProgress = .now()
        bytes.append(buffer)
        do throws(ProxyError) {
            try client?.received(&bytes, from: version)
            if bytes.count > limits.messageBytesMax { broke() }
        } catch {
            broke()
        }
    }

    fileprivate func broke() {
        if case .closed = state { return }
        close()
        client?.lost(version, self)
    }

    fileprivate func writabilityChanged() { client?.writabilityChanged() }
}

/// The end of a version's connection in NIO's pipeline.
private final class VersionHandler<Callbacks: ProxyCallbacks>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: VersionConnection<Callbacks>

    init(_ connection: VersionConnection<Callbacks>) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.received(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { connection.broke() }

    func channelWritabilityChanged(context: ChannelHandlerContext) { connection.writabilityChanged() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.broke() }
}

extension Duration {
    /// The duration in whole nanoseconds, for NIO.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
