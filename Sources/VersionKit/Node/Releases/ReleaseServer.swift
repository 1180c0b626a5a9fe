import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases

/// Hands releases on to other nodes: the other end of ``ReleaseFetcher``. `docs/wire-format.md` has the conversation.
///
/// What it sends needs no trust: the receiver checks signature and digests.
final class ReleaseServer: Sendable {
    /// Conversations at one time; more are closed at once, and the peer tries again.
    private static let conversationsMax = 16
    private static let pieceBytes = 256 << 10

    private let store: ReleaseStore
    private let conversations = Mutex(0)

    init(store: ReleaseStore) { self.store = store }

    /// Serves one router, on a thread of its own. Takes the socket over.
    func serve(_ socket: Int32, unread: [UInt8], application: ApplicationID) {
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
            converse(BlockingConnection(descriptor: socket, unread: unread), application)
            conversations.withLock { $0 -= 1 }
        }.start()
    }

    private func converse(_ connection: consuming BlockingConnection, _ application: ApplicationID) {
        do {
            while let line = try connection.line() {
                do throws(ReleaseError) {
                    try answer(line, application, connection)
                } catch {
                    try connection.send(Array("error \(error.message.replacing("\n", with: " "))\n".utf8))
                }
            }
        } catch {
            // The other router is gone or slow; it will ask again, or ask somebody else.
        }
    }

    private func answer(
        _ line: String, _ application: ApplicationID, _ connection: borrowing BlockingConnection
    ) throws(ReleaseError) {
        let words = line.split(separator: " ").map(String.init)
        if words.count == 2, words[0] == "manifest", let version = Version(words[1]) {
            let release = try store.release(application, version)
            let head = "ok \(release.manifestBytes.count) \(release.signatureBytes.count)\n"
            try send(Array(head.utf8) + release.manifestBytes + release.signatureBytes, connection)
        } else if words.count == 2, words[0] == "layer", let digest = Digest(words[1]) {
            let layer = try store.readLayer(digest)
            try send(Array("ok \(layer.size)\n".utf8), connection)
            var offset: UInt64 = 0
            while offset < layer.size {
                let piece = try layer.read(at: offset, count: Self.pieceBytes)
                guard !piece.isEmpty else {
                    throw ReleaseError(.wrongSize, "a layer became shorter while it was sent", side: .node)
                }
                try send(piece, connection)
                offset += UInt64(piece.count)
            }
        } else {
            throw ReleaseError(.malformed, "'\(line.prefix(40))' is no request", side: .peer)
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
