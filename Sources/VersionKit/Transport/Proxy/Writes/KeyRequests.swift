import NIOCore
import VersionKitModel
import VersionKitProxy

/// What a ``KeyedAdapter`` adds to ``AdapterAccess``, apart from it so that one type serves both kinds of adapters.
protocol KeyRequests<Adapter>: Sendable {
    associatedtype Adapter: MessageAdapter
    /// Returns if the version at the other end answers questions about keys.
    func probe(_ adapter: Adapter, _ channel: VersionChannel<Adapter>) async throws

    /// Visits all keys of the version at the other end.
    func visit(
        _ adapter: Adapter, _ channel: VersionChannel<Adapter>,
        _ visit: @Sendable ([ByteBuffer]) async throws -> Void
    ) async throws

    /// Reads keys; the requests that install their state elsewhere.
    func read(
        _ adapter: Adapter, _ keys: [ByteBuffer], _ channel: VersionChannel<Adapter>
    ) async throws -> [Adapter.Request]

    /// The digests of keys.
    func digests(
        _ adapter: Adapter, _ keys: [ByteBuffer], _ channel: VersionChannel<Adapter>
    ) async throws -> [[Adapter.Reply]]

    /// The keys whose digests differ.
    func differing(_ adapter: Adapter, _ keys: [ByteBuffer], _ one: [[Adapter.Reply]], _ other: [[Adapter.Reply]])
        -> [ByteBuffer]
}

/// The requests of one ``KeyedAdapter``.
struct KeyedRequests<Adapter: KeyedAdapter>: KeyRequests {
    func probe(_ adapter: Adapter, _ channel: VersionChannel<Adapter>) async throws {
        _ = try adapter.page(try await channel.ask(adapter.list(after: nil)), after: nil)
    }

    func visit(
        _ adapter: Adapter, _ channel: VersionChannel<Adapter>,
        _ visit: @Sendable ([ByteBuffer]) async throws -> Void
    ) async throws {
        var cursor: Adapter.Cursor?
        repeat {
            let replies = try await channel.ask(adapter.list(after: cursor))
            let page = try adapter.page(replies, after: cursor)
            if !page.keys.isEmpty { try await visit(page.keys) }
            cursor = page.next
        } while cursor != nil
    }

    func read(
        _ adapter: Adapter, _ keys: [ByteBuffer], _ channel: VersionChannel<Adapter>
    ) async throws -> [Adapter.Request] {
        let requests = keys.map(adapter.read)
        let replies = split(try await channel.ask(requests.flatMap { $0 }), like: requests)
        var installs: [Adapter.Request] = []
        for (key, state) in zip(keys, replies) {
            installs += try adapter.install(key, from: state, milliseconds: WallClock.milliseconds())
        }
        return installs
    }

    func digests(
        _ adapter: Adapter, _ keys: [ByteBuffer], _ channel: VersionChannel<Adapter>
    ) async throws -> [[Adapter.Reply]] {
        let requests = keys.map(adapter.digest)
        return split(try await channel.ask(requests.flatMap { $0 }), like: requests)
    }

    func differing(_ adapter: Adapter, _ keys: [ByteBuffer], _ one: [[Adapter.Reply]], _ other: [[Adapter.Reply]])
        -> [ByteBuffer]
    {
        keys.indices.filter { index in
            let requests = adapter.digest(keys[index])
            return !requests.indices.allSatisfy {
                adapter.agree(one[index][$0], other[index][$0], on: requests[$0])
            }
        }.map { keys[$0] }
    }

    /// Replies grouped as their requests were.
    private func split(_ replies: [Adapter.Reply], like requests: [[Adapter.Request]]) -> [[Adapter.Reply]] {
        var rest = replies[...]
        return requests.map { group in
            defer { rest = rest.dropFirst(group.count) }
            return Array(rest.prefix(group.count))
        }
    }
}
