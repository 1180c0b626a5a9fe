import NIOCore
import NIOPosix
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Whoever a connection to a version belongs to: one client, or all clients of an event loop.
protocol VersionConnectionOwner: AnyObject {
    /// Whether the version is spoken to by datagrams.
    var isDatagram: Bool { get }
    /// Whether a reply of the version is still to come.
    func isAwaiting(_ version: Version) -> Bool
    /// Bytes came; those that were used are consumed.
    func received(_ bytes: inout PeekBuffer, from version: Version) throws(ProxyError)
    /// What came cannot be used, being too long or no reply; ``lost(_:_:wasOpen:)`` follows.
    func receivedUnusable(from version: Version)
    /// A turn of the loop ends.
    func finishTurn()
    /// The connection can be written to again, or not for now.
    func updateReading()
    /// The connection ended, or cannot be had: then nothing was sent.
    func lost(_ version: Version, _ connection: VersionConnection, wasOpen: Bool)
}

/// A connection to one version: opened when the first bytes are sent, gone when it breaks.
///
/// Lives on its owner's event loop.
final class VersionConnection {
    private enum State {
        case opening(waiting: [ByteBuffer])
        case open(any Channel)
        case closed
    }

    private weak var owner: (any VersionConnectionOwner)?
    private let version: Version
    private let loop: any EventLoop
    private let limits: Limits
    private var state = State.opening(waiting: [])
    private var bytes = PeekBuffer()
    private var outgoing = OutgoingBytes()
    private var waitingBytes = 0
    private var isReading = true
    private var lastProgress: NIODeadline
    private var timer: Scheduled<Void>?
    /// What the loop looks at; the channel's own descriptor.
    private var watched: (descriptor: Int32, busyPoll: BusyPoll)?

    init(owner: any VersionConnectionOwner, version: Version, loop: any EventLoop, limits: Limits) {
        self.owner = owner
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

    /// Connects.
    ///
    /// - Parameter announcing: the client's and our own address, if the version wants to hear of them.
    func open(_ endpoint: Endpoint, announcing addresses: (client: SocketAddress, own: SocketAddress)?) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let isDatagram = owner?.isDatagram == true
        if let (client, own) = addresses {
            outgoing.append(ProxyProtocol.header(from: client, to: own, isDatagram: isDatagram)) { _ in }
        }
        let initialize = { @Sendable (channel: any Channel) in
            channel.eventLoop.makeCompletedFuture {
                if isDatagram { try channel.pipeline.syncOperations.addHandler(DatagramContents()) }
                try channel.pipeline.syncOperations.addHandler(VersionHandler(bound.value))
            }
        }
        let (host, port) = (endpoint.address.description, Int(endpoint.port))
        let channel =
            isDatagram
            ? DatagramBootstrap(group: loop).channelInitializer(initialize).connect(host: host, port: port)
            : ClientBootstrap(group: loop)
                .connectTimeout(limits.connectTimeout.timeAmount)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer(initialize)
                .connect(host: host, port: port)
        finish(opening: channel)
    }

    /// Connects, so that the loop can look for what comes (``BusyPoll``): NIO tells no one a descriptor, so it gets one
    /// from us. To connect may block, and is done elsewhere.
    func open(_ endpoint: Endpoint, watchedBy busyPoll: BusyPoll) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let (loop, timeout) = (loop, limits.connectTimeout)
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try ConnectedSocket.open(to: endpoint, within: timeout) }
            .assumeIsolated()
            .whenComplete { result in
                guard case .success(let descriptor) = result else { return self.broke() }
                self.watched = (descriptor, busyPoll)
                busyPoll.add(descriptor)
                let channel = ClientBootstrap(group: loop)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(VersionHandler(bound.value))
                        }
                    }
                    .withConnectedSocket(descriptor)
                self.finish(opening: channel)
            }
    }

    private func finish(opening channel: EventLoopFuture<any Channel>) {
        channel.assumeIsolated()
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
        if !isReading { applyReading(to: channel) }
        for buffer in waiting { channel.write(buffer, promise: nil) }
        waitingBytes = 0
        channel.flush()
        owner?.updateReading()
    }

    /// Sends bytes with the next ``flush()``.
    func send(_ buffer: ByteBuffer) {
        outgoing.append(buffer, write)
        guard timer == nil else { return }
        lastProgress = .now()
        watch(after: limits.replyTimeout.timeAmount)
    }

    private func write(_ buffer: ByteBuffer) {
        switch state {
        case .opening(var waiting):
            waiting.append(buffer)
            waitingBytes += buffer.readableBytes
            state = .opening(waiting: waiting)
        case .open(let channel): channel.write(buffer, promise: nil)
        case .closed: break
        }
    }

    func flush() {
        guard let buffer = outgoing.take() else { return }
        write(buffer)
        if case .open(let channel) = state { channel.flush() }
    }

    /// A version that owes a reply and is silent for too long counts as lost.
    private func watch(after delay: TimeAmount) {
        timer = loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            timer = nil
            guard owner?.isAwaiting(version) == true else { return }
            // It may have answered long since: we do not listen.
            guard isReading else { return watch(after: limits.replyTimeout.timeAmount) }
            let left = lastProgress + limits.replyTimeout.timeAmount - .now()
            if left <= .zero { broke() } else { watch(after: left) }
        }
    }

    /// Whether to read what the version sends. The time in which that is not done is not the version's.
    func setReading(_ isReading: Bool) {
        guard isReading != self.isReading else { return }
        self.isReading = isReading
        lastProgress = .now()
        if case .open(let channel) = state { applyReading(to: channel) }
    }

    private func applyReading(to channel: any Channel) {
        // Setting an option of an open channel cannot fail.
        try? channel.syncOptions?.setOption(.autoRead, value: isReading)
    }

    /// Closes without telling the client: it knows.
    func close() {
        if let (descriptor, busyPoll) = watched { busyPoll.remove(descriptor) }
        watched = nil
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
            try owner?.received(&bytes, from: version)
            if bytes.count > limits.messageBytesMax { breakOff() }
        } catch {
            breakOff()
        }
    }

    private func breakOff() {
        owner?.receivedUnusable(from: version)
        broke()
    }

    fileprivate func readComplete() { owner?.finishTurn() }

    fileprivate func broke() {
        let wasOpen: Bool
        switch state {
        case .closed: return
        case .open: wasOpen = true
        case .opening: wasOpen = false
        }
        close()
        owner?.lost(version, self, wasOpen: wasOpen)
    }

    fileprivate func writabilityChanged() { owner?.updateReading() }
}

/// The end of a version's connection in NIO's pipeline.
private final class VersionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: VersionConnection

    init(_ connection: VersionConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.received(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { connection.readComplete() }

    func channelInactive(context: ChannelHandlerContext) { connection.broke() }

    func channelWritabilityChanged(context: ChannelHandlerContext) { connection.writabilityChanged() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.broke() }
}

/// On a connected UDP socket everything comes from the same address.
private final class DatagramContents: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).data))
    }
}

extension Duration {
    /// The duration in whole nanoseconds.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }

    /// The duration as NIO has it.
    var timeAmount: TimeAmount { .nanoseconds(nanoseconds) }
}
