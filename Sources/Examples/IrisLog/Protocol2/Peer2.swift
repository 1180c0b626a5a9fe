public import IrisLogCore
import IrisLogNetwork
import NIOCore

/// Asks other servers of version 2, with one connection for each request.
public struct Peer2: PeerClient {
    private let defaultPort: Int

    /// Creates the client; the port is for hosts that name none.
    public init(defaultPort: Int) {
        self.defaultPort = defaultPort
    }

    /// Asks another server a query.
    public func ask(
        _ host: HostAddress, hops: Int, xpath: String, timeout: Duration
    ) async throws(IrisLogError) -> [String] {
        guard case .peerAnswer(let items) = try await send(.ask(hops: hops, xpath: xpath), host, timeout) else {
            throw IrisLogError(.unreachable, "not an answer")
        }
        return items
    }

    /// Fetches a subtree from its owner.
    public func gather(
        _ host: HostAddress, hops: Int, path: IDPath, timeout: Duration
    ) async throws(IrisLogError) -> String {
        guard case .fragment(let xml) = try await send(.gather(hops: hops, path: path), host, timeout) else {
            throw IrisLogError(.unreachable, "not a fragment")
        }
        return xml
    }

    private func send(
        _ request: PeerRequest2, _ host: HostAddress, _ timeout: Duration
    ) async throws(IrisLogError) -> Reply2 {
        var bytes = ByteBuffer(bytes: PeerRequest2.preface)
        bytes.writeImmutableBuffer(request.frame(id: 1).encoded)
        let reply = try await Exchange<Reply2Decoder>.once(
            bytes, host: host.address, port: host.port ?? defaultPort, timeout: timeout
        ).reply
        if case .error(let error) = reply { throw error }
        return reply
    }
}
