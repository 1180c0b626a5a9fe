public import NIOCore
import NIOPosix
public import ONCRPC

/// Calls the programs of one server over a connection, TCP or Unix: any number of calls at a time, in any order.
///
/// A connection that ended stays so: calls under way fail with ``RPCError/Code/disconnected(_:)``, later ones with
/// ``RPCError/Code/unreachable(_:)``. Whoever wants another one connects again.
public final class RPCStreamClient: RPCClient {
    private let channel: any Channel
    private let patience: RPCPatience
    private let limits: RPCLimits

    private init(_ channel: any Channel, patience: RPCPatience, limits: RPCLimits) {
        self.channel = channel
        self.patience = patience
        self.limits = limits
    }

    /// Connects to a server.
    ///
    /// - Parameters:
    ///   - timeout: for the connection, and for each reply unless a call says otherwise.
    ///   - group: whose event loop does it; `nil`: the process's own.
    /// - Throws: `RPCError` of the code ``RPCError/Code/unreachable(_:)``.
    public static func connect(
        to server: RPCAddress, timeout: Duration = .seconds(30), limits: RPCLimits = .standard,
        group: (any EventLoopGroup)? = nil
    ) async throws(RPCError) -> RPCStreamClient {
        let bootstrap = ClientBootstrap(group: group ?? MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        RecordHandler(limits: limits), StreamClientHandler(limits: limits))
                }
            }
        do {
            let channel =
                switch server {
                case .tcp(let host, let port):
                    try await bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                        .connect(host: host, port: port).get()
                case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
            return RPCStreamClient(channel, patience: .once(timeout), limits: limits)
        } catch {
            throw RPCError(.unreachable("\(server): \(error)"), procedure: "connect", isRepeatable: true)
        }
    }

    /// Calls a procedure, see ``RPCClient``.
    public func call<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments, patience: RPCPatience?
    ) async throws(RPCError) -> Results {
        // A stream loses nothing: to send a call twice could only have it carried out twice.
        try await channel.call(
            procedure, arguments, to: nil, patience: .once((patience ?? self.patience).total), limits: limits,
            messageBytesMax: limits.recordBytesMax)
    }

    /// Closes the connection. Calls that wait fail.
    public func close() async { try? await channel.close() }
}

/// Gives each call's promise the reply that comes for it. All on the connection's event loop.
private final class StreamClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = OutgoingCall
    typealias OutboundOut = ByteBuffer

    /// The only server that a connection has.
    private struct Server: Hashable, Sendable {}

    private let callers: WaitingCallers<Server>
    private var hasEnded = false

    init(limits: RPCLimits) {
        callers = WaitingCallers(limits: limits) { context, message, _ in
            context.writeAndFlush(NIOAny(message), promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        promise?.succeed()
        let outgoing = unwrapOutboundIn(data)
        guard !hasEnded else {
            return outgoing.promise.fail(CallFailure(code: .unreachable("the connection has ended")))
        }
        callers.start(outgoing, to: Server(), context)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let token = event as? CallToken else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        callers.cancel(token)
        promise?.succeed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(XDRError) {
            // Who sends calls on a connection that was made to call him is no server.
            guard case .reply(let reply) = try RPCMessage(unwrapInboundIn(data)) else {
                return end(context, "the server sent a call")
            }
            callers.receive(reply, from: Server())
        } catch {
            end(context, "the server sent what is no message: \(error)")
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end(context, "the server closed it") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(context, "\(error)") }

    func handlerRemoved(context: ChannelHandlerContext) { end(context, "it was closed") }

    private func end(_ context: ChannelHandlerContext, _ why: String) {
        hasEnded = true
        callers.failAll(.disconnected(why))
        context.close(promise: nil)
    }
}
