public import CFSModel
public import NIOCore

/// Blocks by their names, up to so many bytes: of the others, those that nobody asked for longest make room.
public struct BlockCache: Sendable {
    private struct Entry {
        var name: ChordID
        var bytes: ByteBuffer
        /// Towards those that were used earlier, and later.
        var older: Int?
        var newer: Int?
    }

    /// What an entry costs besides its block, about.
    private static let entryBytes = 128

    /// The most bytes that it keeps.
    public let bytesMax: Int
    /// Bytes that it keeps.
    public private(set) var bytes = 0

    private var slots: [Entry] = []
    private var free: [Int] = []
    private var places: [ChordID: Int] = [:]
    private var oldest: Int?
    private var newest: Int?

    /// An empty one.
    ///
    /// - Parameter bytesMax: Blocks and what they cost besides; 0: it keeps nothing.
    public init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// How many blocks there are.
    public var count: Int { places.count }

    /// A block, which has been used now.
    public mutating func take(_ name: ChordID) -> ByteBuffer? {
        guard let place = places[name] else { return nil }
        unlink(place)
        link(place)
        return slots[place].bytes
    }

    /// Whether the block is there. It does not count as use.
    public func contains(_ name: ChordID) -> Bool { places[name] != nil }

    /// Keeps a block, which has been used now; one that is larger than all the room is not kept.
    public mutating func put(_ name: ChordID, _ block: ByteBuffer) {
        guard take(name) == nil else { return }
        let cost = block.readableBytes + Self.entryBytes
        guard cost <= bytesMax else { return }
        while bytes + cost > bytesMax, let oldest { remove(oldest) }
        // Of its own: a block that was cut out of a message would keep all of that.
        let entry = Entry(name: name, bytes: ByteBuffer(bytes: block.readableBytesView))
        let place: Int
        if let old = free.popLast() {
            place = old
            slots[place] = entry
        } else {
            place = slots.count
            slots.append(entry)
        }
        places[name] = place
        bytes += cost
        link(place)
    }

    private mutating func remove(_ place: Int) {
        unlink(place)
        let entry = slots[place]
        places[entry.name] = nil
        bytes -= entry.bytes.readableBytes + Self.entryBytes
        slots[place].bytes = ByteBuffer()
        free.append(place)
    }

    private mutating func link(_ place: Int) {
        slots[place].older = newest
        slots[place].newer = nil
        if let newest { slots[newest].newer = place }
        newest = place
        if oldest == nil { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        let entry = slots[place]
        if let older = entry.older { slots[older].newer = entry.newer } else { oldest = entry.newer }
        if let newer = entry.newer { slots[newer].older = entry.older } else { newest = entry.older }
    }
}
