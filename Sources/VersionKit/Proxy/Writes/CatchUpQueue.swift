import DequeModule
public import NIOCore
public import VersionKitModel

/// What one version missed, in order, until it is brought to it.
///
/// A state machine. Writes are added while they have their turn (``WriteOrder``), so writes to one key are here in the
/// order in which the other versions did them. A key that was copied meanwhile has the effect of all of them already:
/// what was added before is then left out.
///
/// When more is missed than the limits allow, the writes are forgotten and the version has to be compared with the
/// others key by key: ``Step/everything``.
///
/// Where keys cannot be copied, a write whose fate is unknown, because the version or the proxy was lost while it was
/// sent, is sent again if it may be done twice, and given up otherwise. So that this is one write at most, those that
/// may not be done twice are sent one by one.
public struct CatchUpQueue: Sendable {
    /// What comes next.
    public enum Step: Sendable, Hashable {
        /// These writes, which belong to one session, are sent; ``begin(through:)`` comes before, and ``done(through:)``
        /// or ``interrupt()`` after.
        case replay([MissedWrite], through: UInt64)
        /// The state of these keys is copied; ``copied(_:)`` and ``done(through:)`` follow.
        case copy([ByteBuffer], through: UInt64)
        /// All keys are compared and copied where they differ. The queue is then of no more use: what is missed from
        /// then on is another one's.
        case everything
    }

    private typealias Item = CatchUpRecovery.Item

    private let limits: Limits
    /// Whether the adapter can copy single keys.
    public let copiesKeys: Bool
    private var items: Deque<Item> = []
    /// The number of the write that was added last.
    public private(set) var lastSequence: UInt64 = 0
    /// Up to which item writes were sent, whether or not the version did them.
    private var begunThrough: UInt64 = 0
    /// How often each key is in `items`.
    private var pending: [ByteBuffer: Int] = [:]
    /// Up to which item a key's writes are in the version by a copy.
    private var copiedThrough: [ByteBuffer: UInt64] = [:]
    /// Up to which item any key's writes are in the version by a copy: what matters to a write that touches all keys.
    private var anyCopiedThrough: UInt64 = 0
    /// Whether what the version missed is not known, and all keys have to be compared.
    public private(set) var needsEverything: Bool
    /// What the items take, roughly, in bytes.
    public private(set) var bytes = 0
    /// Writes that were given up because they were too many, or because it is unknown whether the version did them, and
    /// that could not be replaced by a comparison.
    public private(set) var dropped: UInt64 = 0

    /// A queue.
    ///
    /// - Parameters:
    ///   - copiesKeys: whether the adapter can copy single keys.
    ///   - needsEverything: whether what the version missed so far is not known.
    public init(limits: Limits = .standard, copiesKeys: Bool, needsEverything: Bool = false) {
        self.limits = limits
        self.copiesKeys = copiesKeys
        self.needsEverything = needsEverything && copiesKeys
    }

    /// The queue that was in a log.
    public init(limits: Limits = .standard, copiesKeys: Bool, recovering log: CatchUpRecovery) {
        self.init(limits: limits, copiesKeys: copiesKeys, needsEverything: !log.isEmpty)
        lastSequence = log.lastSequence
        guard !copiesKeys else { return }
        if log.damage != nil || log.needsEverything { dropped += 1 }
        for item in log.items {
            let isUnknown = item.sequence <= log.begunThrough && !item.write.isIdempotent
            if isUnknown || item.write.content == .copy { dropped += 1 } else { add(item) }
        }
    }

    /// How many writes wait.
    public var count: Int { items.count + (needsEverything ? 1 : 0) }

    /// Whether nothing is missed.
    public var isEmpty: Bool { items.isEmpty && !needsEverything }

    /// Whether one more write would be given up.
    public var isFull: Bool {
        !copiesKeys && (items.count >= limits.catchUpEntriesMax || bytes >= limits.catchUpBytesMax)
    }

    /// The writes that were added after this one and still wait, in order.
    public func missed(after sequence: UInt64) -> [(sequence: UInt64, write: MissedWrite)] {
        items.reversed().prefix { $0.sequence > sequence }.reversed().map { ($0.sequence, $0.write) }
    }

    /// A write was missed.
    public mutating func append(_ write: MissedWrite) {
        if write.content == .copy, write.keys == .everything { return requireEverything() }
        guard !needsEverything else { return }
        guard items.count < limits.catchUpEntriesMax, bytes + write.size <= limits.catchUpBytesMax else {
            guard copiesKeys else {
                dropped += 1
                return
            }
            return requireEverything()
        }
        lastSequence += 1
        add(Item(sequence: lastSequence, write: write))
    }

    private mutating func add(_ item: Item) {
        items.append(item)
        bytes += item.write.size
        for key in item.write.keys.names ?? [] { pending[key, default: 0] += 1 }
    }

    /// What the version missed is not known any more: all keys have to be compared.
    public mutating func requireEverything() {
        guard copiesKeys else { return }
        needsEverything = true
        clear()
    }

    private mutating func clear() {
        items = []
        bytes = 0
        pending = [:]
        copiedThrough = [:]
        anyCopiedThrough = 0
    }

    /// What is to be done next, or `nil` if the version is up to date.
    ///
    /// - Parameter countMax: how many writes or keys at one time.
    public mutating func next(_ countMax: Int) -> Step? {
        if needsEverything { return .everything }
        while let first = items.first, isSuperseded(first) { removeFirst() }
        guard let first = items.first else {
            copiedThrough = [:]
            anyCopiedThrough = 0
            return nil
        }
        if first.write.keys == .everything, isPartlyCopied(first), copiesKeys {
            requireEverything()
            return .everything
        }
        guard case .replay(_, let prelude) = first.write.content, !isPartlyCopied(first) else {
            return copies(countMax)
        }
        var writes: [MissedWrite] = []
        var through = first.sequence
        for item in items.prefix(countMax) {
            guard case .replay(_, prelude) = item.write.content, !isSuperseded(item), !isPartlyCopied(item) else {
                break
            }
            guard copiesKeys || writes.isEmpty || (writes[0].isIdempotent && item.write.isIdempotent) else { break }
            writes.append(item.write)
            through = item.sequence
        }
        return .replay(writes, through: through)
    }

    private func copies(_ countMax: Int) -> Step {
        var keys: Set<ByteBuffer> = []
        var through: UInt64 = 0
        for item in items {
            guard item.write.content == .copy || isPartlyCopied(item), keys.count < countMax,
                let names = item.write.keys.names
            else { break }
            keys.formUnion(names)
            through = item.sequence
        }
        return .copy(Array(keys), through: through)
    }

    /// Whether copies made since have all of a write's effect.
    private func isSuperseded(_ item: Item) -> Bool {
        guard let names = item.write.keys.names, !names.isEmpty else { return false }
        return names.allSatisfy { copiedThrough[$0, default: 0] >= item.sequence }
    }

    /// Whether copies made since have some of a write's effect: doing it again would do that part twice.
    private func isPartlyCopied(_ item: Item) -> Bool {
        guard let names = item.write.keys.names else { return anyCopiedThrough >= item.sequence }
        return names.contains { copiedThrough[$0, default: 0] >= item.sequence }
    }

    /// These keys were copied, or found equal, while nobody wrote to them.
    public mutating func copied(_ keys: some Sequence<ByteBuffer>) {
        for key in keys {
            anyCopiedThrough = lastSequence
            if pending[key] != nil { copiedThrough[key] = lastSequence }
        }
    }

    /// The writes of a step are about to be sent.
    public mutating func begin(through sequence: UInt64) { begunThrough = max(begunThrough, sequence) }

    /// The version was lost, and whether it did the writes that were sent last is unknown.
    ///
    /// - Returns: up to where writes were given up by this, or `nil` if none were: those that may be done twice wait
    ///   still, and what can be compared is left to ``requireEverything()``.
    public mutating func interrupt() -> UInt64? {
        var through: UInt64?
        while !copiesKeys, let first = items.first, first.sequence <= begunThrough, !first.write.isIdempotent {
            through = first.sequence
            removeFirst()
            dropped += 1
        }
        return through
    }

    /// The writes of a step are done.
    public mutating func done(through sequence: UInt64) {
        while let first = items.first, first.sequence <= sequence { removeFirst() }
    }

    private mutating func removeFirst() {
        let write = items.removeFirst().write
        bytes -= write.size
        for key in write.keys.names ?? [] {
            pending[key, default: 1] -= 1
            if pending[key] == 0 {
                pending[key] = nil
                copiedThrough[key] = nil
            }
        }
    }
}
