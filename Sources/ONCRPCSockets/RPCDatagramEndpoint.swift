public import NIOCore
import NIOPosix
public import ONCRPC

/// A UDP socket on which programs are served and others' are called.
///
/// Both by one socket: so do nodes that are clients and servers of each other, and whoever answers a call sees the port
/// at which its caller can be called back.
///
/// ```swift
/// let endpoint = try await RPCDatagramEndpoint.bind(host: "127.0.0.1", port: 0, services: [service])
/// async let serving: Void = endpoint.serve()
/// let sum = try await endpoint.client(to: endpoint.address).call(Counting.add, 5)
/// await endpoint.close()
/// await serving
/// ```
public final class RPCDatagramEndpoint: Sendable {
    /// Where it is, with the port that it got.
    public let address: SocketAddress

    /// From where the call came that is being carried out in this task; `nil` elsewhere. Whoever claims in a call's arguments to be
    /// somebody can be measured by it.
    @TaskLocal public static var caller: SocketAddress?

    private let channel: any Channel
    private let limits: RPCLimits
    private let jobs: AsyncStream<ReceivedCall>

    private init(_ channel: any Channel, address: SocketAddress, limits: RPCLimits, jobs: AsyncStream<ReceivedCall>) {
        self.channel = channel
        self.address = address
        self.limits = limits
        self.jobs = jobs
    }

    /// Binds a socket.
    ///
    /// - Parameters:
    ///   - host: an address of this host, of IPv4 or IPv6.
    ///   - port: 0: any that is free.
    ///   - services: what is served once ``serve()`` runs.
    ///   - group: whose event loop does it; `nil`: the process's own.
    /// - Throws: what the system says.
    public static func bind(
        host: String, port: Int, services: [RPCService] = [], limits: RPCLimits = .standard,
        group: (any EventLoopGroup)? = nil
    ) async throws -> RPCDatagramEndpoint {
        // As long as calls are not carried out they are in progress: there are never more than `servedCallsMax`.
        let (jobs, continuation) = AsyncStream.makeStream(of: ReceivedCall.self)
        let dispatcher = RPCDispatcher(services, limits: XDRLimits(opaqueBytesMax: limits.datagramBytesMax))
        let channel = try await DatagramBootstrap(group: group ?? MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .channelOption(.maxMessagesPerRead, value: 16)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        DatagramHandler(dispatcher, limits: limits, jobs: continuation))
                }
            }
            .bind(host: host, port: port).get()
        guard let address = channel.localAddress else {
            try await channel.close()
            throw ChannelError.unknownLocalAddress
        }
        return RPCDatagramEndpoint(channel, address: address, limits: limits, jobs: jobs)
    }

    /// Carries out the calls that come, each in a task of its own, until the endpoint is closed or the task is cancelled;
    /// a cancelled task closes the endpoint. To be called once.
    public func serve() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await received in jobs {
                    group.addTask {
                        let reply = await Self.$caller.withValue(received.caller) { await received.job.run() }
                        // Nobody minds when the socket is closed by now.
                        try? await self.channel.writeAndFlush(FinishedCall(received: received, reply: reply))
                    }
                }
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// Calls the programs of a server.
    public func client(to server: SocketAddress, patience: RPCPatience = .datagrams) -> RPCDatagramClient {
        RPCDatagramClient(channel: channel, server: server, patience: patience, limits: limits)
    }

    /// What happened so far; `nil` if the endpoint is closed.
    public func counters() async -> RPCDatagramCounters? {
        let promise = channel.eventLoop.makePromise(of: RPCDatagramCounters.self)
        channel.triggerUserOutboundEvent(CountersQuestion(promise: promise)).whenFailure { promise.fail($0) }
        return try? await promise.futureResult.get()
    }

    /// Closes the socket. Calls that wait fail; those that are carried out are not answered.
    public func close() async { try? await channel.close() }
}

/// What happened at a UDP socket since the beginning.
public struct RPCDatagramCounters: Hashable, Sendable {
    /// As a client.
    public var client = RPCClientCounters()
    /// As a server.
    public var service = RPCDatagramServiceCounters()
    /// Datagrams that were no messages of RPC.
    public var garbage = 0
    /// Datagrams that were not sent because the socket did not take them; who waits for one asks again.
    public var dropped = 0
}

/// Calls the programs of one server over UDP: sends a call again until the reply comes, or patience ends.
public struct RPCDatagramClient: RPCClient {
    private let channel: any Channel
    private let limits: RPCLimits
    /// The server.
    public let server: SocketAddress
    /// How long and how often, unless a call says otherwise.
    public let patience: RPCPatience

    fileprivate init(channel: any Channel, server: SocketAddress, patience: RPCPatience, limits: RPCLimits) {
        self.channel = channel
        self.server = server
        self.patience = patience
        self.limits = limits
    }

    /// Calls a procedure, see ``RPCClient``.
    public func call<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments, patience: RPCPatience?
    ) async throws(RPCError) -> Results {
        try await channel.call(
            procedure, arguments, to: server, patience: patience ?? self.patience, limits: limits,
            messageBytesMax: limits.datagramBytesMax)
    }
}
