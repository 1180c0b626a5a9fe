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
    // Plain channels: those still waiting when a server ends are dropped, which `NIOAsyncChannel` treats as a bug.
    private let channel: NIOAsyncChannel<any Channel, Never>

    /// Binds to an address; connections that are silent for longer than `idle` are closed.
    public static func bind(host: String, port: Int, idle: TimeAmount) async throws -> Listener {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Nothing is read before somebody is there to read it.
            .childChannelOption(.autoRead, value: false)
            .bind(host: host, port: port) { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandlers(IdleStateHandler(allTimeout: idle), IdleCloser())
                    return child
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
                for try await child in connections {
                    group.addTask {
                        let isWelcome = open.enter() <= limit
                        defer { open.leave() }
                        // A broken connection concerns nobody but its client.
                        try? await Self.connection(on: child).executeThenClose { inbound, outbound in
                            if isWelcome { try await converse(inbound, outbound) }
                        }
                    }
                }
            }
        }
    }

    /// Takes over a channel and starts to read; whoever is given the result must run and close it.
    private static func connection(on child: any Channel) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        do {
            return try await child.eventLoop.submit {
                let connection = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: child)
                child.setOption(.autoRead, value: true).whenFailure { _ in child.close(promise: nil) }
                return connection
            }.get()
        } catch {
            child.close(promise: nil)
            throw error
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
