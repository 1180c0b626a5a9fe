import CFSModel

/// Fingers of generation 2: for each digit of the distance, to the base 16, one node whose distance begins with that digit; of
/// all those the nearest by round trip, as far as is known (proximity neighbour selection).
///
/// Generation 1 has one for each bit. A digit less of the distance with each hop is four bits less.
struct FingerSlots: Sendable {
    /// Bits of a digit.
    static let digitBits = 4
    /// Fingers of one digit: 1 to 15.
    static let perDigit = 15
    /// Slots of all digits.
    static let count = ChordID.bitCount / digitBits * perDigit

    private let me: ChordID
    /// In ascending order of the slots, which is that of the distances.
    private(set) var entries: [(slot: Int, node: ChordNode)] = []

    init(me: ChordID) { self.me = me }

    /// Where nodes of a slot begin.
    func start(of slot: Int) -> ChordID {
        let exponent = slot / Self.perDigit * Self.digitBits
        var start = me
        for _ in 0...slot % Self.perDigit { start = start &+ .power(ofTwo: exponent) }
        return start
    }

    /// The last id of a slot.
    func end(of slot: Int) -> ChordID {
        (start(of: slot) &+ .power(ofTwo: slot / Self.perDigit * Self.digitBits)).previous
    }

    /// The slot that an id belongs to; nil for this node's.
    func slot(of id: ChordID) -> Int? {
        let distance = id &- me
        guard let highest = distance.highestBit else { return nil }
        let level = highest / Self.digitBits
        let digit = distance.bits(
            from: ChordID.bitCount - (level + 1) * Self.digitBits, count: Self.digitBits)
        return level * Self.perDigit + Int(digit) - 1
    }

    func node(in slot: Int) -> ChordNode? {
        let index = position(of: slot)
        return index < entries.count && entries[index].slot == slot ? entries[index].node : nil
    }

    /// Puts a node where it belongs, instead of who is there.
    ///
    /// - Returns: Whether that is news.
    @discardableResult
    mutating func put(_ node: ChordNode) -> Bool {
        guard let slot = slot(of: node.id) else { return false }
        let index = position(of: slot)
        guard index < entries.count, entries[index].slot == slot else {
            entries.insert((slot, node), at: index)
            return true
        }
        defer { entries[index].node = node }
        return entries[index].node.id != node.id
    }

    /// Takes a node out; its slot, if it had one.
    @discardableResult
    mutating func remove(_ id: ChordID) -> Int? {
        guard let slot = slot(of: id) else { return nil }
        let index = position(of: slot)
        guard index < entries.count, entries[index].node.id == id else { return nil }
        entries.remove(at: index)
        return slot
    }

    /// Notes where a node believes to be.
    mutating func note(_ node: ChordNode) {
        guard let slot = slot(of: node.id) else { return }
        let index = position(of: slot)
        if index < entries.count, entries[index].node.id == node.id { entries[index].node = node }
    }

    private func position(of slot: Int) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].slot < slot { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
