import NIOCore
import NIOPosix
import VersionKitModel
import VersionKitProxy

/// A connection of the library's own to one version, on which many requests are under way at one time: what state is
/// copied, compared and brought up to date with.
///
/// Thread-safe. Once it is closed, by whichever side, every request fails.
final class VersionChannel<Adapter: MessageAdapter>: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<PipelinedRequests<Adapter>>

    private init(channel: any Channel, handler: NIOLoopBound<PipelinedRequests<Adapter>>) {
        self.channel = channel
        self.handler = handler
    }

    deinit { channel.close(promise: nil) }

    /// Connects.
    ///
    /// - Throws: whatever the connection fails with.
    static func open(
        _ endpoint: Endpoint, of version: Version, adapter: Adapter, group: any EventLoopGroup, limits: Limits
    ) async throws -> VersionChannel {
        let loop = group.next()
        let handler = NIOLoopBoundBox.makeBoxSendingValue(
            PipelinedRequests(adapter, version, limits, loop), eventLoop: loop)
        let channel = try await ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(limits.connectTimeout.nanoseconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .connect(host: endpoint.address.description, port: Int(endpoint.port)).get()
        let bound = try await loop.submit { NIOLoopBound(handler.value, eventLoop: loop) }.get()
        return VersionChannel(channel: channel, handler: bound)
    }

    /// Sends requests, and returns their replies in the same order.
    ///
    /// - Throws: ``ProxyError`` if the version is lost, is silent for ``Limits/replyTimeout``, or makes no sense. How
    ///   many of the requests it did is then unknown.
    func ask(_ requests: [Adapter.Request]) async throws -> [Adapter.Reply] {
        guard !requests.isEmpty else { return [] }
        let handler = handler
        return try await channel.eventLoop.flatSubmit { handler.value.ask(requests) }.get()
    }

    /// As ``ask(_:)``, of requests that are worded in the version's protocol already.
    func ask(_ requests: [Adapter.Request], worded bytes: [ByteBuffer]) async throws -> [Adapter.Reply] {
        guard !requests.isEmpty else { return [] }
        let handler = handler
        return try await channel.eventLoop.flatSubmit { handler.value.ask(requests, worded: bytes) }.get()
    }

    /// Whether the connection has not ended, as far as is known.
    var isOpen: Bool { channel.isActive }

    /// Returns when the connection has ended.
    func closed() async {
        // The future of a channel's end never fails.
        try? await channel.closeFuture.get()
    }

    func close() { channel.close(promise: nil) }
}
