import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitRouter
import VersionKitSwarm
import VersionKitUpgrade

/// Fetches the layers of one release from many nodes at once.
struct SwarmDownload: Sendable {
    /// How often is looked at what has come.
    private static let interval = Duration.milliseconds(50)

    let swarm: NodeSwarm
    let store: ReleaseStore
    let manifest: ReleaseManifest
    let missing: [ReleaseManifest.Layer]
    let torrentFile: [UInt8]
    let policy: DownloadPatience.Policy
    /// Asks the node that advertised the release for peers, on the calling thread: the own port, and whether those that are
    /// known are of no use.
    let askForPeers: @Sendable (UInt16, Bool) throws -> [Endpoint]

    private typealias Joined = (session: Swarm, torrent: Swarm.Torrent, port: UInt16)

    private var release: NodeSwarm.Release { .init(manifest.application, manifest.version) }

    /// Fetches them into the store. They are handed on from then on.
    ///
    /// What came stays when it fails, and is looked at the next time: after a crash as well.
    ///
    /// - Returns: false if too little is missing to begin.
    func run() async throws -> Bool {
        guard let digest = manifest.swarm else { throw NodeError("the release has no torrent file") }
        let joined = try await tryOnThread("swarm-join") {
            let bytes = try store.prepareDownload(of: missing, by: digest)
            // What is here of other releases is at its place. For little more nobody is troubled.
            guard bytes >= ReleaseTorrent.worthwhileBytes else { return nil as Joined? }
            return try swarm.join(
                release, torrentFile, in: store.downloadDirectory(digest), .unknown,
                unwanted: ReleaseTorrent(manifest.layers).unwanted(except: Set(missing.map(\.digest))))
        }
        guard let (session, torrent, port) = joined else { return false }
        do {
            try await fetch(session, torrent, port)
            try await tryOnThread("swarm-verify") {
                for layer in missing { try store.adopt(layer, by: digest) }
            }
        } catch {
            swarm.leave(release)
            throw error
        }
        // A node that has only a part of the layers from here hands all of them on.
        if missing.count < manifest.layers.count { swarm.leave(release) }
        swarm.completed(release)
        return true
    }

    private func fetch(_ session: Swarm, _ torrent: Swarm.Torrent, _ port: UInt16) async throws {
        var patience = DownloadPatience(policy, at: swarm.elapsed)
        var isFirst = true
        while true {
            session.update()
            guard let progress = session.progress(of: torrent) else { throw NodeError("the download was ended") }
            swarm.note(DownloadStatus(progress), of: release)
            if let trouble = progress.trouble { throw NodeError(trouble) }
            if progress.isFinished { return }
            if !progress.isChecked { patience.rest(at: swarm.elapsed) }
            let bytes = progress.downloaded - min(progress.failed, progress.downloaded)
            switch patience.step(bytes: bytes, wrong: progress.failed, peers: progress.peers, at: swarm.elapsed) {
            case .wait: break
            case .ask where isFirst:
                // Who advertises a release knows somebody who has it, or there is no swarm.
                guard try await !findPeers(session, torrent, port, isFirst: true).isEmpty else {
                    throw NodeError("no peers are known")
                }
                isFirst = false
            case .ask(let isStuck):
                // Who is asked may be gone while others go on: nobody waits, and each step has its time-out.
                Task { try? await findPeers(session, torrent, port, isStuck: isStuck) }
            case .lookAgain: session.recheck(torrent)
            case .giveUp: throw NodeError("no peer has sent anything for \(policy.giveUpAfter)")
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    @discardableResult
    private func findPeers(
        _ session: Swarm, _ torrent: Swarm.Torrent, _ port: UInt16, isStuck: Bool = false, isFirst: Bool = false
    ) async throws -> [Endpoint] {
        let peers = try await tryOnThread("swarm-peers") {
            let peers = try askForPeers(port, isStuck)
            if isFirst {
                var random = SystemRandomNumberGenerator()
                session.prefer(FirstPieces.part(known: peers.count, using: &random), of: torrent)
            }
            return peers
        }
        swarm.remember(peers, of: release)
        session.connect(torrent, to: peers)
        return peers
    }
}

extension DownloadStatus {
    init(_ progress: SwarmProgress) {
        self.init(
            way: .swarm, bytes: progress.done, bytesWanted: progress.wanted, bytesReceived: progress.downloaded,
            bytesPerSecond: progress.downloadRate, peers: progress.peers)
    }
}
