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
        let replies = try await ask([request], of: end, through: adapter, limits: limits)
        guard let reply = replies.first else { preconditionFailure("one request, no reply") }
        return reply
    }

    /// Sends requests on one connection, without waiting for one's reply before the next; the replies in the same order.
    ///
    /// - Parameter atOnce: the most requests that are sent before their replies are waited for.
    /// - Throws: as ``ask(_:of:through:limits:)`` for one.
    public static func ask<Adapter: MessageAdapter>(
        _ requests: [Adapter.Request], of end: MigrationEnd, through adapter: Adapter, atOnce: Int = 256,
        limits: Limits = .standard
    ) async throws -> [Adapter.Reply] {
        let channel = try await VersionChannel.open(
            end.client, of: end.version, adapter: adapter, group: MultiThreadedEventLoopGroup.singleton, limits: limits)
        defer { channel.close() }
        var replies: [Adapter.Reply] = []
        for start in stride(from: 0, to: requests.count, by: atOnce) {
            replies += try await channel.ask(Array(requests[start...].prefix(atOnce)))
        }
        return replies
    }
}
