import Glibc
import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// One client's connection and its connections to the versions, all on one event loop.
final class ClientConnection<Callbacks: ProxyCallbacks>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: ProxyServer<Callbacks>
    private var callbacks: Callbacks
    /// The descriptor that is handed over when the connection moves; -1 when it cannot.
    private var socket: Int32
    private var table: VersionTable
    private var unread: PeekBuffer
    private var versions: [Version: VersionConnection<Callbacks>] = [:]
    private var context: ChannelHandlerContext?
    private var isInputClosed = false
    /// The client gets what was enqueued, and then nothing more is read.
    private var isEnding = false
    private var isMoving = false
    /// Those who wait until no request goes by an older table.
    private var appliedPromises: [EventLoopPromise<Void>] = []

    init(server: ProxyServer<Callbacks>, callbacks: Callbacks, socket: Int32, unread: [UInt8]) {
        self.server = server
        self.callbacks = callbacks
        self.socket = socket
        self.unread = PeekBuffer(ByteBuffer(bytes: unread))
        table = server.table
    }

    var limits: Limits { server.bounds }

    // MARK: The client's side

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        server.register(ClientReference(self, channel: context.channel))
        table = server.table
        process()
        updateReading()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        server.unregister(ObjectIdentifier(self))
        if socket >= 0 { close(socket) }
        socket = -1
        for version in versions.values { version.close() }
        versions = [:]
        resolveApplied()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unread.append(unwrapInboundIn(data))
        guard !isEnding else { return }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        updateReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        for version in versions.values { version.setReading(context.channel.isWritable) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            isInputClosed = true
            endIfDone()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client's connection broke; there is nobody to tell.
        context.close(promise: nil)
    }

    /// Whether no further request may begin: those under way have to end first, because the versions changed or the
    /// connection moves. Otherwise a client that never pauses would put either off for ever.
    private var isHolding: Bool {
        !appliedPromises.isEmpty || (server.successor != nil && unread.count <= limits.handoverBytesMax)
    }

    /// Lets the callbacks have the client's bytes as long as they use some.
    private func process() {
        if callbacks.isQuiescent { resolveApplied() }
        while !isEnding, !isHolding, unread.count > 0 {
            unread.resetPeek()
            var handler = ConnectionHandler(versions: table.versions)
            do throws(ProxyError) {
                let used = try callbacks.handleRequest(from: server.speaker, &unread, &handler)
                perform(&handler)
                guard used > 0 else { break }
                unread.consume(used)
            } catch {
                perform(&handler)
                server.count { $0.refused += 1 }
                isEnding = true
            }
        }
        if callbacks.isQuiescent, unread.count > limits.messageBytesMax {
            server.count { $0.refused += 1 }
            isEnding = true
        }
        afterProgress()
    }

    // MARK: The versions' side

    /// Bytes came from a version.
    func received(_ bytes: inout PeekBuffer, from version: Version) throws(ProxyError) {
        var handler = ConnectionHandler(versions: table.versions)
        var used = 1
        while used > 0, bytes.count > 0 {
            bytes.resetPeek()
            used = try callbacks.handleReply(from: version, &bytes, &handler)
            bytes.consume(used)
        }
        perform(&handler)
        // A reply makes room for pipelined requests.
        process()
        context?.flush()
        updateReading()
    }

    /// A version's connection ended or cannot be had.
    func lost(_ version: Version, _ connection: VersionConnection<Callbacks>) {
        guard versions[version] === connection else { return }
        versions[version] = nil
        var handler = ConnectionHandler(versions: table.versions)
        callbacks.versionLost(version, &handler)
        perform(&handler)
        process()
        context?.flush()
        updateReading()
    }

    func isAwaiting(_ version: Version) -> Bool { callbacks.isAwaiting(version) }

    /// A version's connection takes bytes again, or takes none for now.
    func writabilityChanged() { updateReading() }

    private func perform(_ handler: inout ConnectionHandler) {
        for action in handler.takeActions() {
            switch action {
            case .send(let bytes, let version): connection(to: version)?.send(bytes)
            case .reply(let bytes): context?.write(wrapOutboundOut(bytes), promise: nil)
            case .needed(let version): server.count { $0.needed[version, default: 0] += 1 }
            case .answered(let failed):
                server.count {
                    $0.requests += 1
                    if failed { $0.failed += 1 }
                }
            case .closeClient: isEnding = true
            }
        }
    }

    private func connection(to version: Version) -> VersionConnection<Callbacks>? {
        if let open = versions[version] { return open }
        guard let context, let endpoint = table.endpoints[version] else { return nil }
        let opened = VersionConnection(client: self, version: version, loop: context.eventLoop, limits: limits)
        versions[version] = opened
        opened.open(endpoint)
        return opened
    }

    // MARK: Changes

    func apply(_ newer: VersionTable, on loop: any EventLoop) -> EventLoopFuture<Void> {
        guard let context else { return loop.makeSucceededVoidFuture() }
        let promise = loop.makePromise(of: Void.self)
        if newer.generation > table.generation {
            table = newer
            var handler = ConnectionHandler(versions: newer.versions)
            callbacks.versionsChanged(&handler)
            perform(&handler)
            for (version, connection) in versions where !newer.versions.contains(version) {
                versions[version] = nil
                connection.close()
            }
        }
        appliedPromises.append(promise)
        process()
        context.flush()
        return promise.futureResult
    }

    private func resolveApplied() {
        for promise in appliedPromises { promise.succeed() }
        appliedPromises = []
    }

    private func afterProgress() {
        moveIfPossible()
        endIfDone()
    }

    /// Moves to the newer proxy, if there is one, at the boundary between two requests.
    func moveIfPossible() {
        guard !isMoving, !isEnding, let context, server.successor != nil, isAtBoundary else { return }
        isMoving = true
        updateReading()
        // What this turn of the loop has read already is still to come through the pipeline.
        context.eventLoop.assumeIsolated().execute { self.move() }
    }

    private var isAtBoundary: Bool {
        callbacks.isQuiescent && unread.count <= limits.handoverBytesMax && !isInputClosed
    }

    private func move() {
        isMoving = false
        guard let context, let successor = server.successor, isAtBoundary else {
            updateReading()
            return
        }
        isEnding = true
        context.flush()
        let bytes = unread.prefix(unread.count).map { Array($0.readableBytesView) } ?? []
        if socket < 0 || !successor(socket, bytes) { server.count { $0.refused += 1 } }
        context.close(promise: nil)
    }

    private func endIfDone() {
        guard let context else { return }
        let isDone = isEnding || (isInputClosed && callbacks.isQuiescent)
        guard isDone else { return }
        isEnding = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    /// Reads from the client only what can be passed on.
    private func updateReading() {
        guard let context else { return }
        let isRoom = callbacks.isQuiescent || unread.count < limits.unsentBytesMax
        let isWritable = versions.values.allSatisfy(\.isWritable)
        let wanted = isRoom && isWritable && !isEnding && !isMoving
        // Setting an option of an open channel cannot fail.
        try? context.channel.syncOptions?.setOption(.autoRead, value: wanted)
    }
}
