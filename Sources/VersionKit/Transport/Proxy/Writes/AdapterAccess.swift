import NIOCore
import Synchronization
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// ``VersionAccess`` by the requests of an adapter.
final class AdapterAccess<Adapter: MessageAdapter>: VersionAccess {
    private let adapter: Adapter
    private let group: any EventLoopGroup
    private let limits: Limits
    private let keys: (any KeyRequests<Adapter>)?
    private let channels = Mutex<[Version: (endpoint: Endpoint, channel: VersionChannel<Adapter>)]>([:])
    private let preludes = Mutex<[Version: [ByteBuffer]]>([:])

    init(_ adapter: Adapter, group: any EventLoopGroup, limits: Limits, keys: (any KeyRequests<Adapter>)? = nil) {
        self.adapter = adapter
        self.group = group
        self.limits = limits
        self.keys = keys
    }

    var copiesKeys: Bool { keys != nil }
    var replays: Bool { true }

    private func open(_ end: VersionEnd) async throws -> VersionChannel<Adapter> {
        try await VersionChannel.open(
            end.endpoint, of: end.version, adapter: adapter, group: group, limits: limits)
    }

    /// Runs `body` on the connection to a version, which is given up if that fails.
    private func with<Result>(
        _ end: VersionEnd, _ body: (VersionChannel<Adapter>) async throws -> Result
    ) async throws -> Result {
        let known = channels.withLock { $0[end.version] }
        let channel: VersionChannel<Adapter>
        if let known, known.endpoint == end.endpoint, known.channel.isOpen {
            channel = known.channel
        } else {
            channel = try await open(end)
            preludes.withLock { $0[end.version] = nil }
            channels.withLock { $0[end.version] = (end.endpoint, channel) }
        }
        do {
            return try await body(channel)
        } catch {
            channels.withLock { channels in
                if channels[end.version]?.channel === channel { channels[end.version] = nil }
            }
            preludes.withLock { $0[end.version] = nil }
            channel.close()
            throw error
        }
    }

    func probe(_ end: VersionEnd) async throws {
        let channel = try await open(end)
        defer { channel.close() }
        try await keys?.probe(adapter, channel)
    }

    func replay(_ writes: [MissedWrite], to end: VersionEnd, sending: () throws -> Void) async throws -> Int {
        try await with(end) { try await replay(writes, to: end, $0, sending: sending) }
    }

    private func replay(
        _ writes: [MissedWrite], to end: VersionEnd, _ channel: VersionChannel<Adapter>, sending: () throws -> Void
    ) async throws -> Int {
        var bytes: [ByteBuffer] = []
        var expected: [Bool] = []
        for write in writes {
            guard case .replay(let body, let prelude) = write.content else { continue }
            let isNew = preludes.withLock { preludes in
                defer { preludes[end.version] = prelude }
                return preludes[end.version] != prelude
            }
            if isNew {
                bytes += prelude
                expected += prelude.map { _ in false }
            }
            bytes.append(body)
            expected.append(true)
        }
        var requests: [Adapter.Request] = []
        for buffer in bytes {
            var peek = PeekBuffer(buffer)
            guard let request = try adapter.parseRequest(&peek, from: end.version) else {
                throw ProxyError(
                    .malformed, "a missed write is not one request", side: .proxy, isRetrySafe: false)
            }
            requests.append(request)
        }
        try sending()
        let replies = try await channel.ask(requests, worded: bytes)
        return zip(replies, expected).count { $1 && adapter.judge($0) != .answer }
    }

    func disconnect(_ version: Version) {
        preludes.withLock { $0[version] = nil }
        channels.withLock { $0.removeValue(forKey: version) }?.channel.close()
    }

    func visitKeys(of end: VersionEnd, _ visit: @Sendable ([ByteBuffer]) async throws -> Void) async throws {
        guard let keys else { preconditionFailure("the adapter does not list keys") }
        // A connection of its own: a listing may set the session that it needs.
        let channel = try await open(end)
        defer { channel.close() }
        try await keys.visit(adapter, channel, visit)
    }

    func copy(_ names: [ByteBuffer], from source: VersionEnd, to target: VersionEnd) async throws {
        guard let keys else { preconditionFailure("the adapter does not copy keys") }
        forgetSession(of: [source.version, target.version])
        let requests = try await with(source) { try await keys.read(adapter, names, $0) }
        try await with(target) { try await $0.askAll(requests, adapter) }
    }

    func differing(_ names: [ByteBuffer], _ one: VersionEnd, _ other: VersionEnd) async throws -> [ByteBuffer] {
        guard let keys else { preconditionFailure("the adapter does not compare keys") }
        forgetSession(of: [one.version, other.version])
        async let left = with(one) { try await keys.digests(adapter, names, $0) }
        async let right = with(other) { try await keys.digests(adapter, names, $0) }
        return keys.differing(adapter, names, try await left, try await right)
    }

    /// Requests about keys may leave the connection in another session than the last replay did.
    private func forgetSession(of versions: [Version]) {
        preludes.withLock { preludes in for version in versions { preludes[version] = nil } }
    }

    func watch(_ end: VersionEnd, opened: () -> Void) async throws {
        let channel = try await open(end)
        opened()
        await channel.closed()
    }
}

extension VersionChannel {
    /// Asks for all of this, and minds that everything was done.
    fileprivate func askAll(_ requests: [Adapter.Request], _ adapter: Adapter) async throws {
        let replies = try await ask(requests)
        guard let index = replies.firstIndex(where: { adapter.judge($0) != .answer }) else { return }
        throw ProxyError(
            .unsupported, "a version refused to install a key: \(replies[index])", side: .version, isRetrySafe: false)
    }
}
