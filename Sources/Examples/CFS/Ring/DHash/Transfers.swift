import CFSModel

/// What is being sent to one node, in pieces (CFS 2004, `dhash_store`).
struct Upload: Sendable {
    /// Who wants it sent.
    enum Owner: Sendable {
        case insert(OperationID, Int)
        case wholeBlock(BlockKey, to: ChordID)
        case handover(ChordID)
    }

    let owner: Owner
    let key: BlockKey
    let purpose: StorePurpose
    let data: [UInt8]
    let expiration: UInt32
    var node: ChordNode
    /// Pieces without an answer.
    var open = 0
    /// Times another node had to be tried.
    var retries = 0
    var retry: ChordNode?
    var failure: DHashFailure?
    var wasPresent = false

    static let retriesMax = 2
}

/// What is being fetched from one node, in pieces (CFS 2004, `dhash_download`).
struct Download: Sendable {
    let operation: OperationID
    let key: BlockKey
    let node: ChordNode
    /// Once the first piece told how many there are.
    var bytes: [UInt8]?
    var cookie: Int32 = 0
    var expiration: UInt32 = 0
    var open = 1
    var isWrong = false
}

extension DHash {
    // Sending.

    mutating func upload(
        _ data: [UInt8], _ key: BlockKey, _ purpose: StorePurpose, until expiration: UInt32, to node: ChordNode,
        for owner: Upload.Owner, _ chord: inout Chord, at now: Duration
    ) {
        let id = nextNumber()
        uploads[id] = Upload(owner: owner, key: key, purpose: purpose, data: data, expiration: expiration, node: node)
        sendPieces(of: id, &chord, at: now)
    }

    private mutating func sendPieces(of id: UInt64, _ chord: inout Chord, at now: Duration) {
        guard let upload = uploads[id] else { return }
        if chord.isDead(upload.node) {
            uploads[id]?.open = 1
            return uploaded(id, .failed(.unreachable), &chord, at: now)
        }
        let size = upload.data.count
        let step = upload.node.id == chord.me.id ? max(1, size) : parameters.packetBytes
        let starts = size == 0 ? [0] : Array(stride(from: 0, to: size, by: step))
        uploads[id]?.open = starts.count
        for start in starts {
            let piece = Array(upload.data[start..<min(start + step, size)])
            let request = StoreRequest(
                key: upload.key, purpose: upload.purpose, size: size, offset: start, data: piece,
                expiration: upload.expiration)
            ask(upload.node, .dhash(.store(request)), for: .upload(id), &chord, at: now)
        }
    }

    mutating func uploaded(_ id: UInt64, _ reply: DHashReply, _ chord: inout Chord, at now: Duration) {
        guard var upload = uploads[id] else { return }
        upload.open -= 1
        switch reply {
        case .stored(let wasPresent, _): if wasPresent { upload.wasPresent = true }
        case .retry(let node): upload.retry = node
        case .failed(let failure): upload.failure = upload.failure ?? failure
        case .piece, .offered: upload.failure = .error
        }
        uploads[id] = upload
        guard upload.open == 0 else { return }
        if upload.failure == nil, let node = upload.retry {
            upload.retries += 1
            upload.retry = nil
            upload.node = node
            uploads[id] = upload
            if upload.retries <= Upload.retriesMax { return sendPieces(of: id, &chord, at: now) }
            upload.failure = .retry
        }
        uploads[id] = nil
        switch upload.owner {
        case .insert(let operation, let index): kept(operation, index, upload.failure, &chord, at: now)
        case .wholeBlock(let key, let node):
            wholeBlocks.open -= 1
            if upload.failure == nil { wholeBlocks.note(key, upload.data, at: node, now) }
        case .handover(let key): handedOver(key, upload.failure, wasPresent: upload.wasPresent, &chord, at: now)
        }
    }

    // Fetching.

    mutating func download(
        _ key: BlockKey, from node: ChordNode, for operation: OperationID, _ chord: inout Chord, at now: Duration
    ) -> UInt64 {
        let id = nextNumber()
        downloads[id] = Download(operation: operation, key: key, node: node)
        let length = node.id == chord.me.id ? CFSLimits.storedBytes : parameters.packetBytes
        let request = FetchRequest(key: key, isFragment: key.type == .contentHash, start: 0, length: length, cookie: 0)
        ask(node, .dhash(.fetch(request)), for: .download(id, start: 0), &chord, at: now)
        return id
    }

    mutating func downloaded(
        _ id: UInt64, _ start: Int, _ reply: DHashReply, _ chord: inout Chord, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) {
        guard var download = downloads[id] else { return }
        download.open -= 1
        var further: [FetchRequest] = []
        if case .piece(let data, let offset, let size, let cookie, let expiration) = reply, offset == start,
            (0...CFSLimits.storedBytes).contains(size), offset + data.count <= size, !data.isEmpty || size == 0
        {
            if download.bytes == nil {
                download.bytes = [UInt8](repeating: 0, count: size)
                download.cookie = cookie
                download.expiration = expiration
                for next in stride(from: data.count, to: size, by: parameters.packetBytes) {
                    further.append(
                        FetchRequest(
                            key: download.key, isFragment: download.key.type == .contentHash, start: next,
                            length: min(parameters.packetBytes, size - next), cookie: cookie))
                }
            }
            let wanted = start == 0 ? data.count : min(parameters.packetBytes, size - start)
            if download.bytes?.count == size, download.cookie == cookie, data.count == wanted {
                download.bytes?.replaceSubrange(offset..<offset + data.count, with: data)
            } else {
                download.isWrong = true
            }
        } else {
            download.isWrong = true
        }
        download.open += further.count
        downloads[id] = download
        for request in further {
            ask(download.node, .dhash(.fetch(request)), for: .download(id, start: request.start), &chord, at: now)
        }
        guard download.open == 0 else { return }
        downloads[id] = nil
        arrived(download.isWrong ? nil : download.bytes, download, id, &chord, at: now, using: &random)
    }
}
