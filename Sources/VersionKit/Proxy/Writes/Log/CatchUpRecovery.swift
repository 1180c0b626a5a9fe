import DequeModule
public import VersionKitModel

/// What the records of a catch-up log come to: the writes that a version still misses.
///
/// A state machine: records go in, in the order in which they were written; ``CatchUpQueue`` is made of it.
public struct CatchUpRecovery: Sendable {
    struct Item: Sendable {
        var sequence: UInt64
        var write: MissedWrite
    }

    private let limits: Limits
    /// What is not done, in order.
    private(set) var items: Deque<Item> = []
    /// The number of the last write that was missed.
    public private(set) var lastSequence: UInt64 = 0
    /// Up to where writes were sent, whether or not they were done.
    private(set) var begunThrough: UInt64 = 0
    private var doneThrough: UInt64 = 0
    /// Whether what was missed is not known, and all keys have to be compared.
    public private(set) var needsEverything = false
    /// Whether all keys have to be compared, but only when the others have what only this version has.
    package private(set) var isDoubted = false
    /// What is wrong with the log, for a person: then more was missed than what is here.
    public private(set) var damage: String?

    /// Of an empty log.
    public init(limits: Limits = .standard) { self.limits = limits }

    /// Whether the version misses nothing, as far as the log says.
    public var isEmpty: Bool { items.isEmpty && !needsEverything && !isDoubted && damage == nil }

    /// How many writes are missed.
    public var count: Int { items.count }

    /// A number that no log comes to; there have to be further ones after whatever a log says.
    private static let sequenceMax: UInt64 = 1 << 62

    /// The next record.
    public mutating func add(_ record: CatchUpRecord) {
        guard (record.sequence ?? 0) < Self.sequenceMax else { return noteDamage("a number that cannot be") }
        switch record {
        case .missed(let write, let sequence):
            // One that could not be written at first may be there twice.
            guard sequence > lastSequence else { return }
            if lastSequence > 0, sequence - lastSequence > 1 { noteDamage("writes before \(sequence) are missing") }
            lastSequence = sequence
            guard sequence > doneThrough, !needsEverything || write.content == .copy else { return }
            guard items.count < limits.catchUpEntriesMax else { return noteDamage("more writes than there may be") }
            items.append(Item(sequence: sequence, write: write))
        case .begun(let through): begunThrough = max(begunThrough, through)
        case .done(let through):
            doneThrough = max(doneThrough, through)
            lastSequence = max(lastSequence, through)
            while let first = items.first, first.sequence <= doneThrough { items.removeFirst() }
        case .everything:
            needsEverything = true
            // Which keys others have and it has not says what those are trusted with.
            items.removeAll { $0.write.content != .copy }
        case .doubted: isDoubted = true
        case .copied(let sequence):
            if let index = items.firstIndex(where: { $0.sequence == sequence }) { items.remove(at: index) }
        }
    }

    /// The single keys that are to be copied to the version, each with the number of its record.
    package var lacking: [(sequence: UInt64, keys: Keys)] {
        items.compactMap { $0.write.content == .copy ? ($0.sequence, $0.write.keys) : nil }
    }

    /// Whether single keys are all that the version lacks.
    package var isOfSingleKeys: Bool {
        !needsEverything && damage == nil
            && items.allSatisfy { $0.write.content == .copy && $0.write.keys != .everything }
    }

    /// Something of the log cannot be read.
    public mutating func noteDamage(_ reason: String) { damage = damage ?? reason }
}
