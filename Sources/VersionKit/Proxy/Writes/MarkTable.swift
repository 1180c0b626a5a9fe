/// Values by the marks of keys.
///
/// A mark is a hash already, so unlike a dictionary this does not compute another: each write to several versions looks
/// here twice. Open addressing; whoever leaves moves those behind it up, so nothing is left over of it. Keys that are made
/// to have equal marks only make their own writes slow: see ``KeyMark``.
struct MarkTable<Value: Sendable>: Sendable {
    private struct Slot: Sendable {
        var mark: KeyMark
        var value: Value
    }

    private var slots: [Slot?]
    private(set) var count = 0

    init() { slots = Array(repeating: nil, count: 16) }

    /// Reads and changes what there is for a mark; `nil`: nothing.
    mutating func update<Result>(_ mark: KeyMark, _ change: (inout Value?) -> Result) -> Result {
        let index = place(of: mark)
        let wasThere = slots[index] != nil
        var value = slots[index]?.value
        // So that the change is made in place.
        slots[index] = nil
        let result = change(&value)
        if let value {
            slots[index] = Slot(mark: mark, value: value)
            if !wasThere {
                count += 1
                if 2 * count > slots.count { grow() }
            }
        } else if wasThere {
            count -= 1
            closeGap(index)
        }
        return result
    }

    /// Where a mark is, or would be.
    private func place(of mark: KeyMark) -> Int {
        var index = home(of: mark)
        while let slot = slots[index], slot.mark != mark { index = (index + 1) & (slots.count - 1) }
        return index
    }

    private func home(of mark: KeyMark) -> Int {
        // The upper bits of the product depend on all bits of the mark.
        Int(truncatingIfNeeded: (mark.bits &* 0x9e37_79b9_7f4a_7c15) >> 32) & (slots.count - 1)
    }

    private mutating func closeGap(_ start: Int) {
        var gap = start
        var index = (gap + 1) & (slots.count - 1)
        while let slot = slots[index] {
            // It may move up unless its home lies behind the gap.
            let distance = (index - home(of: slot.mark)) & (slots.count - 1)
            if distance >= (index - gap) & (slots.count - 1) {
                slots[gap] = slot
                slots[index] = nil
                gap = index
            }
            index = (index + 1) & (slots.count - 1)
        }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: nil, count: 2 * old.count)
        for case let slot? in old { slots[place(of: slot.mark)] = slot }
    }
}
