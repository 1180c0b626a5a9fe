import CFSModel

/// Stores that came in part, until the other pieces come.
struct PartialStores: Sendable {
    /// Two senders' pieces are never mixed: each has fragments of its own.
    struct Name: Hashable, Sendable {
        let key: BlockKey
        let purpose: StorePurpose
        let sender: ChordID
        let size: Int
    }

    private struct Partial: Sendable {
        var bytes: [UInt8]
        /// Where the pieces are that came, without overlap, in ascending order.
        var have: [Range<Int>]
        let order: UInt64
    }

    private var partials: [Name: Partial] = [:]
    private var byteCount = 0
    private var begun: UInt64 = 0

    func contains(_ name: Name) -> Bool { partials[name] != nil }

    /// Takes a piece; the whole, if this was the last one.
    mutating func add(_ data: [UInt8], at offset: Int, of name: Name) -> [UInt8]? {
        if offset == 0, data.count == name.size {
            drop(name)
            return data
        }
        begun += 1
        var partial = partials[name] ?? Partial(bytes: [UInt8](repeating: 0, count: name.size), have: [], order: begun)
        if partials[name] == nil { byteCount += name.size }
        partial.bytes.replaceSubrange(offset..<offset + data.count, with: data)
        partial.have = Self.union(partial.have, offset..<offset + data.count)
        partials[name] = partial
        if partial.have == [0..<name.size] {
            drop(name)
            return partial.bytes
        }
        // The oldest goes: its sender asks again, or has given up.
        while partials.count > CFSLimits.partialStores || byteCount > CFSLimits.partialBytes,
            let oldest = partials.min(by: { $0.value.order < $1.value.order })?.key
        {
            drop(oldest)
        }
        return nil
    }

    private mutating func drop(_ name: Name) {
        if partials.removeValue(forKey: name) != nil { byteCount -= name.size }
    }

    private static func union(_ ranges: [Range<Int>], _ new: Range<Int>) -> [Range<Int>] {
        var (merged, result) = (new, [Range<Int>]())
        for range in ranges {
            if range.upperBound < merged.lowerBound || merged.upperBound < range.lowerBound {
                result.append(range)
            } else {
                merged = min(range.lowerBound, merged.lowerBound)..<max(range.upperBound, merged.upperBound)
            }
        }
        return (result + [merged]).sorted { $0.lowerBound < $1.lowerBound }
    }
}

/// What a keeper of blocks says to others.
extension DHash {
    mutating func answer(_ request: DHashRequest, from node: ChordNode, _ chord: Chord, at now: Duration) -> DHashReply
    {
        switch request {
        case .store(let request): store(request, from: node, chord, at: now)
        case .fetch(let request): piece(request, at: now)
        case .offer(let keys): .offered(keys.prefix(CFSLimits.keysPerOffer).map { offered($0, chord) })
        }
    }

    private mutating func store(
        _ request: StoreRequest, from node: ChordNode, _ chord: Chord, at now: Duration
    ) -> DHashReply {
        let key = request.key
        let end = request.offset.addingReportingOverflow(request.data.count)
        guard request.offset >= 0, !end.overflow, (0...CFSLimits.storedBytes).contains(request.size),
            end.partialValue <= request.size, !request.data.isEmpty || request.size == 0,
            request.purpose != .cache, (request.purpose == .fragment) == (key.type == .contentHash),
            !isOver(request.expiration, at: now)
        else { return .failed(.error) }
        let name = PartialStores.Name(key: key, purpose: request.purpose, sender: node.id, size: request.size)
        // What was begun is finished, whoever came in between.
        if request.purpose == .store, !chord.isResponsible(for: key.id), !partials.contains(name) {
            return .retry(chord.predecessor)
        }
        if key.type != .keyHash, let previous = kept(key, at: now) {
            refresh(previous, key, until: request.expiration)
            return .stored(wasPresent: true, isDone: true)
        }
        guard let data = partials.add(request.data, at: request.offset, of: name) else {
            return .stored(wasPresent: false, isDone: false)
        }
        return keep(data, key, until: request.expiration, purpose: request.purpose, at: now)
    }

    /// Keeps what came whole, if it is what it should be.
    private mutating func keep(
        _ data: [UInt8], _ key: BlockKey, until expiration: UInt32, purpose: StorePurpose, at now: Duration
    ) -> DHashReply {
        switch key.type {
        case .contentHash:
            guard (try? parameters.coding.share(decoding: data)) != nil else {
                counters.refused += 1
                return .failed(.error)
            }
        case .noAuth: break
        case .keyHash:
            guard rules.isRight(data, key), let version = rules.version(of: data) else {
                counters.refused += 1
                return .failed(.storeNotVerified)
            }
            if let previous = kept(key, at: now) {
                if previous.data == data {
                    refresh(previous, key, until: expiration)
                    return .stored(wasPresent: true, isDone: true)
                }
                if let known = rules.version(of: previous.data), known >= version {
                    // A replica's sender needs not know: it is served, if by a newer one.
                    return purpose == .store ? .failed(.stale) : .stored(wasPresent: true, isDone: true)
                }
            }
        }
        guard write(data, key, until: expiration) else { return .failed(.storeError) }
        counters.stores += 1
        return .stored(wasPresent: false, isDone: true)
    }

    mutating func write(_ data: [UInt8], _ key: BlockKey, until expiration: UInt32) -> Bool {
        // Generation 1 has no word for it.
        let block = KeptBlock(data, until: parameters.expires ? expiration : 0)
        do {
            if lacks(key) { try store.add(block, for: key) } else { try store.write(block, for: key) }
        } catch {
            return false
        }
        if key.type == .contentHash { tree.insert(key.id) }
        return true
    }

    /// Whether the tree says that nothing is kept of a block: most of those that others want kept here, and a look at a disk
    /// for each of them would be a good part of what a store costs.
    func lacks(_ key: BlockKey) -> Bool { key.type == .contentHash && !tree.contains(key.id) }

    /// The tree says again what the store has.
    mutating func undo(_ keys: [BlockKey]) {
        for key in keys where key.type == .contentHash {
            if store.read(key) == nil { tree.remove(key.id) } else { tree.insert(key.id) }
        }
    }

    mutating func removeFragment(_ id: ChordID) {
        store.remove(BlockKey(id, .contentHash))
        tree.remove(id)
    }

    private func piece(_ request: FetchRequest, at now: Duration) -> DHashReply {
        guard request.isFragment == (request.key.type == .contentHash), request.start >= 0, request.length > 0,
            let kept = kept(request.key, at: now)
        else { return .failed(.noEntry) }
        let data = kept.data
        // A block that was replaced between two pieces must not be put together of both.
        let cookie = Self.cookie(data)
        guard request.cookie == 0 || request.cookie == cookie else { return .failed(.noEntry) }
        let start = min(request.start, data.count)
        let end = start + min(request.length, CFSLimits.storedBytes, data.count - start)
        return .piece(
            Array(data[start..<end]), offset: start, size: data.count, cookie: cookie, expiration: kept.expiration)
    }

    /// A number that is another one for other bytes, most likely; never zero.
    private static func cookie(_ data: [UInt8]) -> Int32 {
        var hash: UInt32 = 0x811C_9DC5
        // Enough to tell versions apart: the beginning has key, signature and version.
        for byte in data.prefix(256) { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return Int32(bitPattern: hash | 1)
    }

    /// Whether this node is one of the 14 that keep a fragment of each of these.
    func isKeeper(of id: ChordID, _ chord: Chord) -> Bool {
        let predecessors = chord.predecessors
        guard predecessors.count >= parameters.fragments else { return true }
        return id.isBehind(predecessors[parameters.fragments - 1].id, upTo: chord.me.id)
    }

    private func offered(_ id: ChordID, _ chord: Chord) -> OfferAnswer {
        if tree.contains(id) { return .present }
        return isKeeper(of: id, chord) ? .accept : .reject
    }
}
