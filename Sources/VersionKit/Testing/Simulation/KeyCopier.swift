import NIOCore
import VersionKitModel
import VersionKitProxy

/// What a ``KeyedAdapter`` can do with single keys, for code that does not know whether it has one.
struct KeyCopier<Adapter: MessageAdapter>: Sendable {
    typealias Ask = ([Adapter.Request]) throws -> [Adapter.Reply]

    let read: @Sendable (ByteBuffer) -> [Adapter.Request]
    let install: @Sendable (ByteBuffer, [Adapter.Reply], Int64) throws -> [Adapter.Request]
    /// All keys of the version that is asked.
    let keys: @Sendable (Ask) throws -> Set<ByteBuffer>

    /// `nil`: the adapter has no keys.
    init?(of adapter: Adapter) {
        guard let keyed = adapter as? any KeyedAdapter, let copier = Self.make(keyed) else { return nil }
        self = copier
    }

    private static func make<Keyed: KeyedAdapter>(_ adapter: Keyed) -> Self? {
        KeyCopier<Keyed>(keyed: adapter) as? Self
    }
}

extension KeyCopier where Adapter: KeyedAdapter {
    fileprivate init(keyed adapter: Adapter) {
        read = { adapter.read($0) }
        install = { try adapter.install($0, from: $1, milliseconds: $2) }
        keys = { ask in
            var found: Set<ByteBuffer> = []
            var cursor: Adapter.Cursor?
            repeat {
                let page = try adapter.page(try ask(adapter.list(after: cursor)), after: cursor)
                found.formUnion(page.keys)
                cursor = page.next
            } while cursor != nil
            return found
        }
    }
}
