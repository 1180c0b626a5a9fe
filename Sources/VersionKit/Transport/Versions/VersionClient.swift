import NIOCore
import NIOPosix
public import VersionKitModel
public import VersionKitProxy
public import VersionKitUpgrade

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
        let channel = try await VersionChannel.open(
            end.client, of: end.version, adapter: adapter, group: MultiThreadedEventLoopGroup.singleton, limits: limits)
        defer { channel.close() }
        let replies = try await channel.ask([request])
        guard let reply = replies.first else { preconditionFailure("one request, no reply") }
        return reply
    }
}
