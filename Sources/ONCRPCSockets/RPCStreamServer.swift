public import NIOCore
import NIOPosix
public import ONCRPC
import Synchronization

/// Serves programs over connections, TCP or Unix. The calls of a connection are carried out side by side, and answered in
/// the order in which they are done, or in which they came.
///
/// ```swift
/// let server = try await RPCStreamServer.bind(to: .tcp(host: "127.0.0.1", port: 0), services: [service])
/// async let serving: Void = server.serve()
/// let client = try await RPCStreamClient.connect(to: server.address)
/// let sum = try await client.call(Counting.add, 7)
/// await client.close()
/// await server.close()
/// await serving
/// ```
public final class RPCStreamServer: Sendable {
    /// Where it is, with the port that it got.
    public let address: RPCAddress

    /// What happened since the beginning.
    public struct Counters: Hashable, Sendable {
        /// Connections that were served.
        public var connections = 0
        /// Connections that were closed at once because there were too many.
        public var refusedConnections = 0
        /// Connections that were closed because what came was not RPC: a length without sense, a message that is none, a
        /// record that did not come in time.
        public var brokenConnections = 0
        /// Calls that were carried out.
        public var carriedOut = 0
        /// Calls that were answered without being carried out: no such procedure, no such arguments.
        public var refused = 0
        /// Replies to calls that this server never made.
        public var unknownReplies = 0
        /// Replies that were too long for a record: SYSTEM_ERR was sent in their place.
        public var tooLarge = 0
    }

    /// In which order the calls of a connection are answered.
    public enum ReplyOrder: Hashable, Sendable {
        /// As they are done: nobody waits for another one's reply.
        case completion
        /// As they came: for whoever stands between and does not look at numbers.
        case calls
    }

    private let channel: NIOAsyncChannel<any Channel, Never>
    private let dispatcher: RPCDispatcher
    private let limits: RPCLimits
    private let order: ReplyOrder
    private let file: SocketFile?
    private let state = Mutex((counters: Counters(), open: 0))

    private init(
        _ channel: NIOAsyncChannel<any Channel, Never>, at address: RPCAddress, _ dispatcher: RPCDispatcher,
        limits: RPCLimits, order: ReplyOrder, file: SocketFile?
    ) {
        self.channel = channel
        self.address = address
        self.dispatcher = dispatcher
        self.limits = limits
        self.order = order
        self.file = file
    }

    /// Binds a socket. A file of a Unix socket on which nobody listens any more is replaced, and the server's own is
    /// removed when it ends.
    ///
    /// - Parameters:
    ///   - order: of a connection's replies.
    ///   - group: whose event loops do it; `nil`: the process's own.
    /// - Throws: what the system says; `IOError` of `EADDRINUSE` if somebody listens there.
    public static func bind(
        to address: RPCAddress, services: [RPCService], limits: RPCLimits = .standard, order: ReplyOrder = .completion,
        group: (any EventLoopGroup)? = nil
    ) async throws -> RPCStreamServer {
        let group = group ?? MultiThreadedEventLoopGroup.singleton
        let dispatcher = RPCDispatcher(services, limits: XDRLimits(opaqueBytesMax: limits.recordBytesMax))
        let bootstrap = ServerBootstrap(group: group)
            // A client may say that it sends nothing more, and still wait for replies.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Nothing is read before somebody is there to read it.
            .childChannelOption(.autoRead, value: false)
        let initialize: @Sendable (any Channel) -> EventLoopFuture<any Channel> = { child in
            child.eventLoop.makeCompletedFuture {
                try child.pipeline.syncOperations.addHandlers(
                    IdleStateHandler(allTimeout: TimeAmount(limits.idleTime)), IdleCloser(),
                    RecordHandler(limits: limits, holdsBack: true))
                return child
            }
        }
        switch address {
        case .tcp(let host, let port):
            let channel =
                try await bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: host, port: port, childChannelInitializer: initialize)
            let bound = RPCAddress.tcp(host: host, port: channel.channel.localAddress?.port ?? port)
            return RPCStreamServer(channel, at: bound, dispatcher, limits: limits, order: order, file: nil)
        case .unix(let path):
            try await removeAbandoned(path, group)
            let channel = try await bootstrap.bind(unixDomainSocketPath: path, childChannelInitializer: initialize)
            let file = SocketFile(path: path)
            return RPCStreamServer(channel, at: address, dispatcher, limits: limits, order: order, file: file)
        }
    }

    /// Removes a Unix socket to which nobody can connect.
    private static func removeAbandoned(_ path: String, _ group: any EventLoopGroup) async throws {
        guard let file = SocketFile(path: path) else { return }
        do {
            try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get().close()
        } catch let error as IOError where error.errnoCode == ECONNREFUSED {
            file.remove()
        }
    }

    /// Serves until the server is closed or the task is cancelled. To be called once.
    public func serve() async {
        try? await channel.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await child in connections {
                    group.addTask { await self.serve(child) }
                }
                // Nobody new comes: those who are there are not waited for.
                group.cancelAll()
            }
        }
        file?.remove()
    }

    /// What happened so far.
    public var counters: Counters { state.withLock { $0.counters } }

    /// Closes the socket, which also ends ``serve()`` and its connections. Calls that are carried out are cancelled, and not
    /// answered.
    public func close() async {
        try? await channel.channel.close()
        file?.remove()
    }

    private func serve(_ child: any Channel) async {
        let isWelcome = state.withLock { state in
            guard state.open < limits.connectionsMax else {
                state.counters.refusedConnections += 1
                return false
            }
            state.open += 1
            state.counters.connections += 1
            return true
        }
        guard isWelcome else { return child.close(promise: nil) }
        defer { state.withLock { $0.open -= 1 } }
        do {
            // A server that ends does not wait until the calls are done.
            try await withTaskCancellationHandler {
                try await Self.connection(on: child).executeThenClose { inbound, outbound in
                    try await converse(inbound, outbound)
                }
            } onCancel: {
                child.close(promise: nil)
            }
        } catch  where error is RecordError || error is XDRError {
            count(\.brokenConnections)
        } catch {
            // A connection that broke concerns nobody but its client.
        }
    }

    /// Takes over a channel and starts to read.
    private static func connection(on child: any Channel) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        do {
            return try await child.eventLoop.submit {
                let connection = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                    wrappingChannelSynchronously: child,
                    configuration: .init(
                        // Records may be long: few wait to be looked at.
                        backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
                        isOutboundHalfClosureEnabled: true))
                let records = try child.pipeline.syncOperations.handler(type: RecordHandler.self)
                records.release(try child.pipeline.syncOperations.context(handler: records))
                child.setOption(.autoRead, value: true).whenFailure { _ in child.close(promise: nil) }
                return connection
            }.get()
        } catch {
            child.close(promise: nil)
            throw error
        }
    }

    private func converse(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let turns = ReplyTurns()
            var running = 0
            for try await record in inbound {
                guard let decision = try decide(record) else { continue }
                if running >= limits.connectionCallsMax {
                    try await group.next()
                    running -= 1
                }
                running += 1
                let place = turns.take()
                count(decision.isRefusal ? \.refused : \.carriedOut)
                group.addTask {
                    let reply = self.encoded(await decision.reply())
                    guard self.order == .calls else { return try await outbound.write(reply) }
                    try await turns.wait(for: place) { try await outbound.write(reply) }
                }
            }
            // Whoever sends no more calls still gets his replies.
            try await group.waitForAll()
        }
    }

    /// What is to be done about a message; `nil`: nothing.
    private func decide(_ record: ByteBuffer) throws(XDRError) -> RPCDispatcher.Decision? {
        switch try RPCMessage(record) {
        case .call(let call): return dispatcher.decide(call)
        case .refused(let reply): return .answer(reply)
        case .reply:
            count(\.unknownReplies)
            return nil
        }
    }

    private func encoded(_ reply: RPCReply) -> ByteBuffer {
        let bytes = try? reply.encoded()
        if let bytes, bytes.readableBytes <= limits.recordBytesMax { return bytes }
        count(\.tooLarge)
        guard let bytes = try? RPCReply(xid: reply.xid, .systemError).encoded() else {
            preconditionFailure("a reply of ours has no verifier")
        }
        return bytes
    }

    private func count(_ counter: any WritableKeyPath<Counters, Int> & Sendable) {
        state.withLock { $0.counters[keyPath: counter] += 1 }
    }
}

extension RPCDispatcher.Decision {
    fileprivate var isRefusal: Bool {
        if case .answer = self { true } else { false }
    }

    fileprivate func reply() async -> RPCReply {
        switch self {
        case .answer(let reply): reply
        case .run(let job): await job.run()
        }
    }
}

/// Closes a connection on which nothing happens.
private final class IdleCloser: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
