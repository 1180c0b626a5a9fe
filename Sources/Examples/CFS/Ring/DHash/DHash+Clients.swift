import CFSModel

/// A block being stored for a client.
struct Insert: Sendable {
    let key: BlockKey
    let data: [UInt8]
    let expiration: UInt32
    var path: [ChordNode] = []
    var open = 0
    var kept = 0
    var needed = 0
    /// Why the first of the keepers did not take it.
    var firstFailure: DHashFailure?
}

/// A block being fetched, for a client or to make a missing fragment.
struct Fetch: Sendable {
    let key: BlockKey
    /// Set if this node lacks its fragment.
    let isRepair: Bool
    var path: [ChordNode] = []
    /// Who may have it, the next one to ask first.
    var sources: [ChordNode] = []
    var open: Set<UInt64> = []
    var fragments: [KeptFragment] = []
    /// Until when those who gave something keep it.
    var expirations: [UInt32] = []
    /// Who was asked.
    var asked: Set<ChordID> = []
    /// Whether all keepers are looked for.
    var isThorough = false
    var errors = 0
    var retries = 0
    var sawWrong = false
}

/// What clients ask for.
extension DHash {
    // Storing.

    mutating func insert(
        _ key: BlockKey, _ data: [UInt8], until expiration: UInt32, _ chord: inout Chord, at now: Duration
    ) -> OperationID {
        let operation = OperationID(number: nextNumber())
        guard data.count <= CFSLimits.blockBytes, inserts.count < CFSLimits.operations, !isOver(expiration, at: now)
        else {
            actions.append(.inserted(operation, .failure(.error)))
            return operation
        }
        guard rules.isRight(data, key) else {
            actions.append(.inserted(operation, .failure(.storeNotVerified)))
            return operation
        }
        inserts[operation] = Insert(key: key, data: data, expiration: expiration)
        lookUp(key.id, wanted: nil, for: .insert(operation), &chord, at: now)
        return operation
    }

    /// It is known who should keep a block: each of them gets its part.
    mutating func located(
        _ operation: OperationID, _ result: Result<LookupResult, ChordFailure>, _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        guard var insert = inserts[operation] else { return }
        guard case .success(let found) = result else { return finish(operation, .failure(.chord)) }
        let isFragmented = insert.key.type == .contentHash
        let nodes = keepers(found, isFragmented ? parameters.fragments : parameters.replicas, chord)
        let size = parameters.shareSize(nodes: nodes.count)
        insert.needed =
            isFragmented
            ? max(parameters.nodesNeeded(shareSize: size), Int(Double(nodes.count) * parameters.keptShare))
            : parameters.copiesNeeded(nodes: nodes.count)
        insert.path = found.path + found.successors.prefix(1)
        insert.open = nodes.count
        inserts[operation] = insert
        // With fewer the block could not be made again for sure.
        guard nodes.count >= insert.needed else { return finish(operation, .failure(.storeError)) }
        guard isFragmented else {
            for (index, node) in nodes.enumerated() {
                upload(
                    insert.data, insert.key, index == 0 ? .store : .replica, until: insert.expiration, to: node,
                    for: .insert(operation, index),
                    &chord, at: now)
            }
            return
        }
        let shares = parameters.coding.shares(
            of: insert.data, needed: parameters.needed(length: insert.data.count), count: nodes.count, size: size,
            using: &random)
        for (index, node) in nodes.enumerated() {
            upload(
                shares[index], insert.key, .fragment, until: insert.expiration, to: node,
                for: .insert(operation, index), &chord, at: now)
        }
    }

    mutating func kept(
        _ operation: OperationID, _ index: Int, _ failure: DHashFailure?, _ chord: inout Chord, at now: Duration
    ) {
        guard var insert = inserts[operation] else { return }
        insert.open -= 1
        if failure == nil { insert.kept += 1 }
        if index == 0 { insert.firstFailure = failure }
        inserts[operation] = insert
        // The others get theirs all the same.
        let isEnough =
            parameters.answersWhenEnough && insert.key.type == .contentHash && insert.kept >= insert.needed
        guard insert.open == 0 || isEnough else { return }
        if insert.firstFailure == .stale {
            // Enough others say yes without keeping it; but the block is not there for anybody who asks.
            finish(operation, .failure(.stale))
        } else if insert.kept < insert.needed {
            finish(operation, .failure(.storeError))
        } else {
            finish(operation, .success(insert.path))
        }
    }

    private mutating func finish(_ operation: OperationID, _ result: Result<[ChordNode], DHashFailure>) {
        inserts[operation] = nil
        actions.append(.inserted(operation, result))
    }

    // Fetching.

    mutating func fetch(_ key: BlockKey, _ chord: inout Chord, at now: Duration) -> OperationID {
        let operation = OperationID(number: nextNumber())
        guard fetches.count < CFSLimits.operations else {
            actions.append(.fetched(operation, .failure(.error)))
            return operation
        }
        fetches[operation] = Fetch(key: key, isRepair: false)
        search(operation, &chord, at: now)
        return operation
    }

    mutating func search(_ operation: OperationID, _ chord: inout Chord, at now: Duration) {
        guard let fetch = fetches[operation] else { return }
        let enough = fetch.isThorough ? nil : parameters.sourcesToBegin ?? parameters.fragments
        let wanted = fetch.key.type == .contentHash ? enough : nil
        lookUp(fetch.key.id, wanted: wanted, for: .fetch(operation), &chord, at: now)
    }

    /// It is known who may have a block: the nearest ones are asked, as many as are needed at most.
    mutating func found(
        _ operation: OperationID, _ result: Result<LookupResult, ChordFailure>, _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        guard var fetch = fetches[operation] else { return }
        guard case .success(let found) = result else { return again(operation, .chord, &chord, at: now) }
        fetch.path = found.path + found.successors.prefix(1)
        if fetch.key.type == .contentHash {
            let here = chord.me.coordinates
            let enough = fetch.isThorough ? nil : parameters.sourcesToBegin
            let count =
                enough.map { found.successors.count >= $0 ? min(found.successors.count, parameters.fragments) : nil }
                ?? parameters.fragments
            let nodes = keepers(found, count ?? parameters.fragments, chord).filter {
                ($0.id != chord.me.id || !fetch.isRepair || tree.contains(fetch.key.id))
                    && !fetch.asked.contains($0.id)
            }
            // By the expected round trip, as far as it is known.
            fetch.sources =
                here.error < 0
                ? nodes
                : nodes.sorted { $0.coordinates.distance(to: here) < $1.coordinates.distance(to: here) }
        } else {
            fetch.sources = keepers(found, chord.parameters.neighbours, chord)
        }
        fetches[operation] = fetch
        let parallel = fetch.key.type == .contentHash ? parameters.nodesNeeded(shareSize: shareSize(chord)) : 1
        for _ in 0..<min(parallel, fetch.sources.count) { askNext(operation, &chord, at: now) }
        if fetch.sources.isEmpty {
            again(operation, .noEntry, &chord, at: now)
        } else if let patience = parameters.latePatience, fetch.key.type == .contentHash {
            actions.append(.wake(.dhash(.late(operation)), after: patience))
        }
    }

    /// Some have not answered for a while: as many others are asked, whoever is first then.
    mutating func askInstead(_ operation: OperationID, _ chord: inout Chord, at now: Duration) {
        guard let patience = parameters.latePatience, let open = fetches[operation]?.open.count else { return }
        for _ in 0..<open where fetches[operation]?.sources.isEmpty == false { askNext(operation, &chord, at: now) }
        guard fetches[operation]?.sources.isEmpty == false else { return }
        actions.append(.wake(.dhash(.late(operation)), after: patience))
    }

    /// Asks one more, if there is one; gives up if nobody is left to wait for.
    private mutating func askNext(_ operation: OperationID, _ chord: inout Chord, at now: Duration) {
        guard var fetch = fetches[operation] else { return }
        while let node = fetch.sources.first {
            fetch.sources.removeFirst()
            fetch.asked.insert(node.id)
            if chord.isDead(node) {
                fetch.errors += 1
                continue
            }
            fetches[operation] = fetch
            let download = download(fetch.key, from: node, for: operation, &chord, at: now)
            fetches[operation]?.open.insert(download)
            return
        }
        fetches[operation] = fetch
        if fetch.open.isEmpty {
            again(operation, fetch.sawWrong ? .retrieveNotVerified : .noEntry, &chord, at: now)
        }
    }

    /// All of what one node has came, or nothing useful.
    mutating func arrived(
        _ bytes: [UInt8]?, _ download: Download, _ id: UInt64, _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        let operation = download.operation
        guard fetches[operation]?.open.remove(id) != nil, var fetch = fetches[operation] else { return }
        if let bytes, let data = use(bytes, until: download.expiration, &fetch, using: &random) {
            return succeed(operation, fetch, data, &chord, at: now, using: &random)
        }
        fetches[operation] = fetch
        // Fragments under way may be enough without another one.
        let need = fetch.fragments.first?.needed ?? parameters.fragmentsNeeded
        let expected = fetch.open.count * shareSize(chord) + fetch.fragments.count
        if fetch.key.type != .contentHash || expected < max(need, 1)
            || fetch.sawWrong || fetch.open.isEmpty
        {
            askNext(operation, &chord, at: now)
        }
    }

    /// The block, if these bytes complete it.
    private mutating func use(
        _ bytes: [UInt8], until expiration: UInt32, _ fetch: inout Fetch, using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        guard fetch.key.type == .contentHash else {
            if rules.isRight(bytes, fetch.key) {
                fetch.expirations = [expiration]
                return bytes
            }
            fetch.sawWrong = true
            fetch.errors += 1
            return nil
        }
        let share = (try? parameters.coding.share(decoding: bytes))?.filter { !fetch.fragments.contains($0) }
        guard let share, let first = share.first else {
            // Another node's fragments again, or none: of no use.
            counters.badFragments += 1
            fetch.errors += 1
            return nil
        }
        fetch.fragments += share
        fetch.expirations.append(expiration)
        // Those that say the same of the block; who lies about that is alone, or with few.
        let alike = fetch.fragments.filter { $0.needed == first.needed && $0.blockLength == first.blockLength }
        guard alike.count >= first.needed else { return nil }
        // One that lies may be among them: then others, by chance, as often as is bearable.
        var order = Array(alike.reversed())
        for _ in 0..<(alike.count == first.needed ? 1 : 32) {
            if let data = try? parameters.coding.block(from: order), rules.isRight(data, fetch.key) { return data }
            order.shuffle(using: &random)
        }
        fetch.sawWrong = true
        fetch.errors += 1
        return nil
    }

    private mutating func again(
        _ operation: OperationID, _ failure: DHashFailure, _ chord: inout Chord, at now: Duration
    ) {
        guard var fetch = fetches[operation] else { return }
        if fetch.key.type == .contentHash, parameters.sourcesToBegin != nil, !fetch.isThorough {
            fetch.isThorough = true
            fetches[operation] = fetch
            return search(operation, &chord, at: now)
        }
        guard fetch.key.type != .contentHash, fetch.retries < parameters.retries else {
            return giveUp(operation, fetch, failure, &chord, at: now)
        }
        fetch.retries += 1
        fetches[operation] = fetch
        actions.append(.wake(.dhash(.retry(operation)), after: parameters.retryPause))
    }

    private mutating func giveUp(
        _ operation: OperationID, _ fetch: Fetch, _ failure: DHashFailure, _ chord: inout Chord, at now: Duration
    ) {
        close(operation, fetch)
        guard fetch.isRepair else { return actions.append(.fetched(operation, .failure(failure))) }
        counters.unrepaired += 1
        repairs.end(operation)
        repairNext(&chord, at: now)
    }

    private mutating func succeed(
        _ operation: OperationID, _ fetch: Fetch, _ data: [UInt8], _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        close(operation, fetch)
        guard fetch.isRepair else {
            let block = FetchedBlock(
                data: data, path: fetch.path, errors: fetch.errors, retries: fetch.retries,
                expiration: Self.usual(fetch.expirations))
            return actions.append(.fetched(operation, .success(block)))
        }
        let expiration = Self.usual(fetch.expirations)
        // Elsewhere it is about to be dropped too.
        if !isOver(expiration, at: now) { keepShare(of: data, fetch.key, until: expiration, chord, using: &random) }
        repairs.end(operation)
        repairNext(&chord, at: now)
    }

    private mutating func close(_ operation: OperationID, _ fetch: Fetch) {
        fetches[operation] = nil
        // What still comes is ignored.
        for download in fetch.open { downloads[download] = nil }
    }
}
