import NIOCore
import NIOPosix
public import VersionKitModel
public import VersionKitProxy
public import VersionKitUpgrade
import VersionKitWire

/// Asks one version something in its own client protocol: what a ``Migrator`` copies state with.
public enum VersionClient {
    /// Sends one request on a connection of its own and waits for the reply.
    ///
    /// - Parameters:
    ///   - adapter: knows the protocol of the version.
    ///   - limits: ``Limits/messageBytesMax``, ``Limits/connectTimeout`` and ``Limits/replyTimeout`` hold.
    /// - Throws: ``ProxyError`` if the reply is malformed, too long, late, or does not come.
    public static func ask<Adapter: MessageAdapter>(
        _ request: Adapter.Request, of end: MigrationEnd, through adapter: Adapter, limits: Limits = .standard
    ) async throws -> Adapter.Reply {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.nanoseconds(limits.connectTimeout.nanoseconds))
            .connect(host: end.client.address.description, port: Int(end.client.port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let timer = Task {
            try await Task.sleep(for: limits.replyTimeout)
            try await channel.channel.close()
        }
        defer { timer.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(try adapter.encode(request, for: end.version))
            var bytes = PeekBuffer()
            for try await more in inbound {
                bytes.append(more)
                bytes.resetPeek()
                if let reply = try adapter.parseReply(&bytes, to: request, from: end.version) { return reply }
                guard bytes.count <= limits.messageBytesMax else {
                    throw ProxyError.malformedReply("a reply without end")
                }
            }
            throw ProxyError(
                .noVersion, "version \(end.version) at \(end.client) did not answer", side: .version, isRetrySafe: false
            )
        }
    }
}
