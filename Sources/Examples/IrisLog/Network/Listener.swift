public import NIOCore
import NIOPosix
import Synchronization

/// Accepts connections and runs one child task for each.
public struct Listener: Sendable {
    /// What a connection's task is given to read.
    public typealias Inbound = NIOAsyncChannelInboundStream<ByteBuffer>
    /// What a connection's task is given to write.
    public typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// The port, also when any free one was asked for.
    public let port: Int
    private let channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>

    /// Binds to an address; connections that are silent for longer than `idle` are closed.
    public static func bind(host: String, port: Int, idle: TimeAmount? = nil) async throws -> Listener {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: host, port: port) { child in
                child.eventLoop.makeCompletedFuture {
                    if let idle {
                        try child.pipeline.syncOperations.addHandlers(
                            IdleStateHandler(allTimeout: idle), IdleCloser())
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: child)
                }
            }
        return Listener(port: channel.channel.localAddress?.port ?? port, channel: channel)
    }

    /// Serves until the task is cancelled; connections beyond the limit are closed at once.
    public func serve(
        limit: Int, _ converse: @escaping @Sendable (Inbound, Outbound) async throws -> Void
    ) async throws {
        let open = OpenConnections()
        try await channel.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask {
                        let isWelcome = open.enter() <= limit
                        defer { open.leave() }
                        // A broken connection concerns nobody but its client.
                        try? await connection.executeThenClose { inbound, outbound in
                            if isWelcome { try await converse(inbound, outbound) }
                        }
                    }
                }
            }
        }
    }

    /// Closes the port without having served.
    public func close() async {
        try? await channel.executeThenClose { _ in }
    }
}

/// How many connections a listener has.
private final class OpenConnections: Sendable {
    private let count = Mutex(0)

    /// Counts one more and returns how many there are.
    func enter() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    func leave() {
        count.withLock { $0 -= 1 }
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
