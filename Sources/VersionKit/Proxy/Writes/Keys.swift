public import NIOCore

/// The keys that a write touches: two writes that share one reach every version in the same order.
///
/// A key is any run of bytes by which the adapter tells data apart: a key of Redis with its database, the path of a
/// file, a row. Values; the bytes share storage with the request that they were cut out of.
///
/// - Note: DESIGN 5, "writes to several versions", point 1.
public struct Keys: Sendable, Hashable {
    enum Storage: Sendable, Hashable {
        case none
        case one(ByteBuffer)
        case several(Set<ByteBuffer>)
        case everything
    }

    let storage: Storage

    /// No key: the write need not be ordered with any other.
    public static let none = Keys(storage: .none)
    /// All keys: the write is ordered with every other one.
    public static let everything = Keys(storage: .everything)

    /// One key.
    public static func key(_ key: ByteBuffer) -> Keys { Keys(storage: .one(key)) }

    /// These keys; repetition does not matter.
    public init(_ keys: [ByteBuffer]) {
        switch keys.count {
        case 0: self.init(storage: .none)
        case 1: self.init(storage: .one(keys[0]))
        default:
            let different = Set(keys)
            self.init(storage: different.count == 1 ? .one(keys[0]) : .several(different))
        }
    }

    /// All of these.
    public init(joining parts: [Keys]) {
        let names = parts.map(\.names)
        self = names.contains(nil) ? .everything : Keys(names.flatMap { $0 ?? [] })
    }

    init(storage: Storage) { self.storage = storage }

    /// The keys by name, each once and in no order, or `nil` for ``everything``.
    public var names: [ByteBuffer]? {
        switch storage {
        case .none: []
        case .one(let key): [key]
        case .several(let keys): Array(keys)
        case .everything: nil
        }
    }

    /// Whether there is nothing to order.
    public var isEmpty: Bool { storage == .none }

    /// Whether there is a key in both.
    public func overlaps(_ other: Keys) -> Bool {
        guard let names, let others = other.names else { return !isEmpty && !other.isEmpty }
        return names.contains(where: others.contains)
    }

    /// Both.
    public func union(_ other: Keys) -> Keys { Keys(joining: [self, other]) }
}
