public import NIOCore

/// An adapter of an application whose state is a set of keys, each of which can be read from one version and installed
/// in another.
///
/// With these few requests the library migrates (R16), brings a version up to date that was down, heals a key on which
/// versions came to differ, and compares the versions at the end: all under live writes, key by key, holding only the
/// keys at hand.
///
/// A key here is what ``MessageAdapter/dispatch(_:_:)`` names in ``Keys``.
///
/// - Note: DESIGN 5, "writes to several versions", points 2-4.
public protocol KeyedAdapter: MessageAdapter {
    /// Where a listing is to go on.
    associatedtype Cursor: Sendable

    /// Requests whose replies list some of the keys; `nil`: from the beginning.
    ///
    /// The listing may name keys twice, and need not name those that came or went since it began. It must name all
    /// others.
    func list(after cursor: Cursor?) -> [Request]

    /// What a listing brought.
    func page(_ replies: [Reply], after cursor: Cursor?) throws(ProxyError) -> (keys: [ByteBuffer], next: Cursor?)

    /// Requests whose replies hold all of a key's state.
    func read(_ key: ByteBuffer) -> [Request]

    /// Requests that give a key, at this time (milliseconds since 1970), the state which `replies` hold, whatever it was before: none at all, if they say that
    /// there is no such key.
    func install(_ key: ByteBuffer, from replies: [Reply], milliseconds: Int64) throws(ProxyError) -> [Request]

    /// Requests whose replies are equal (``MessageAdapter/agree(_:_:on:)``) for two versions if and only if the key's
    /// state is. By default those of ``read(_:)``: right where equal state reads equal bytes.
    func digest(_ key: ByteBuffer) -> [Request]
}

extension KeyedAdapter {
    public var writePolicy: WritePolicy { .catchUp }
    public var copiesKeys: Bool { true }
    public func digest(_ key: ByteBuffer) -> [Request] { read(key) }
}
