import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitRouter
import VersionKitWire

/// Answers other routers: hands releases on, as the other end of ``ReleaseFetcher``, and takes their messages to the
/// ``FleetGate``. `docs/wire-format.md` has the conversation.
///
/// What it sends needs no trust: the receiver checks signature and digests.
final class ReleaseServer: Sendable {
    /// Conversations at one time; more are closed at once, and the peer tries again.
    private static let conversationsMax = 16
    private static let pieceBytes = 256 << 10

    private let store: ReleaseStore
    private let gate: FleetGate
    private let swarm: NodeSwarm?
    private let trust: [ApplicationID: TrustKeeper]
    private let limits: TransferLimits
    private let conversations = Mutex(0)

    init(
        store: ReleaseStore, gate: FleetGate, swarm: NodeSwarm? = nil, limits: TransferLimits = TransferLimits(),
        trust: [ApplicationID: TrustKeeper]
    ) {
        // What is received are requests.
        self.limits = TransferLimits(upload: limits.upload)
        self.store = store
        self.gate = gate
        self.swarm = swarm
        self.trust = trust
    }

    /// Serves one router, on a thread of its own. Takes the socket over.
    func serve(_ socket: Int32, unread: [UInt8], application: ApplicationID, from peer: IPAddress) {
        let isFree = conversations.withLock { count in
            guard count < Self.conversationsMax else { return false }
            count += 1
            return true
        }
        guard isFree else {
            close(socket)
            return
        }
        SystemThread(name: "release-server") { [self] in
            converse(BlockingConnection(descriptor: socket, unread: unread, limits: limits), application, peer)
            conversations.withLock { $0 -= 1 }
        }.start()
    }

    private func converse(
        _ connection: consuming BlockingConnection, _ application: ApplicationID, _ peer: IPAddress
    ) {
        do {
            while let line = try connection.line() {
                do throws(ReleaseError) {
                    try answer(line, application, peer, connection)
                } catch {
                    try connection.send(Array("error \(error.message.replacing("\n", with: " "))\n".utf8))
                }
            }
        } catch {
            // The other router is gone or slow; it will ask again, or ask somebody else.
        }
    }

    private func answer(
        _ line: String, _ application: ApplicationID, _ peer: IPAddress,
        _ connection: borrowing BlockingConnection
    ) throws(ReleaseError) {
        let words = line.split(separator: " ").map(String.init)
        if let answer = try TrustRequest.answer(words, trust[application]?.state) {
            try send(answer, connection)
        } else if let keyword = words.first, FleetNews.keywords.contains(keyword) {
            let refusal = gate.receive(line, of: application, from: peer)
            try send(Array("\(refusal.map { "error \($0)" } ?? "ok")\n".utf8), connection)
        } else if words.count == 2, words[0] == "manifest", let version = Version(words[1]) {
            let release = try store.release(application, version)
            let head = "ok \(release.manifestBytes.count) \(release.signatureBytes.count)\n"
            try send(Array(head.utf8) + release.manifestBytes + release.signatureBytes, connection)
        } else if words.count == 2, words[0] == "torrent", let version = Version(words[1]) {
            guard let torrent = try store.torrent(of: store.release(application, version).manifest) else {
                throw ReleaseError(.notFound, "version \(version) has no torrent file here", side: .node)
            }
            try send(Array("ok \(torrent.count)\n".utf8) + torrent, connection)
        } else if let request = PeersRequest(words) {
            let peers = try introduce(request, application, peer)
            try send(Array("ok\(peers.map { " \($0)" }.joined())\n".utf8), connection)
        } else if words.count == 2, words[0] == "chunks", let digest = Digest(words[1]) {
            let list = try store.readChunks(digest)
            try send(Array("ok \(list.count)\n".utf8) + list, connection)
        } else if words.count == 2, words[0] == "layer", let digest = Digest(words[1]) {
            let layer = try store.readLayer(digest)
            try send(layer, 0..<layer.size, connection)
        } else if words.count == 4, words[0] == "layer", let digest = Digest(words[1]),
            let offset = UInt64(words[2]), let count = UInt64(words[3])
        {
            let layer = try store.readLayer(digest)
            guard offset <= layer.size, count <= layer.size - offset else {
                throw ReleaseError(.malformed, "the layer has only \(layer.size) bytes", side: .peer)
            }
            try send(layer, offset..<(offset + count), connection)
        } else {
            throw ReleaseError(.malformed, "'\(line.prefix(40))' is no request", side: .peer)
        }
    }

    private func introduce(
        _ request: PeersRequest, _ application: ApplicationID, _ peer: IPAddress
    ) throws(ReleaseError) -> [Endpoint] {
        // Only for what there is: nobody fills the memory with versions of his own invention.
        _ = try store.release(application, request.version)
        guard let swarm else { throw ReleaseError(.notFound, "this node hands nothing on to peers", side: .node) }
        return swarm.introduce(
            Endpoint(address: peer, port: request.port), to: .init(application, request.version),
            isStuck: request.isStuck)
    }

    private func send(
        _ layer: borrowing LayerReader, _ range: Range<UInt64>, _ connection: borrowing BlockingConnection
    ) throws(ReleaseError) {
        try send(Array("ok \(range.count)\n".utf8), connection)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let piece = try layer.read(at: offset, count: Int(min(range.upperBound - offset, UInt64(Self.pieceBytes))))
            guard !piece.isEmpty else {
                throw ReleaseError(.wrongSize, "a layer became shorter while it was sent", side: .node)
            }
            try send(piece, connection)
            offset += UInt64(piece.count)
        }
    }

    private func send(_ bytes: [UInt8], _ connection: borrowing BlockingConnection) throws(ReleaseError) {
        do {
            try connection.send(bytes)
        } catch {
            throw ReleaseError(.system, "\(error)", side: .peer, isRetrySafe: true)
        }
    }
}
