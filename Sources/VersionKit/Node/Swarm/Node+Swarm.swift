import Logging
import VersionKitJournal
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitRouter
import VersionKitUpgrade

/// Hands releases on to other nodes.
extension Node {
    /// How often is looked at which releases run here.
    private static let handOnInterval = Duration.seconds(1)

    /// Hands on what runs here, until the task is cancelled.
    func handReleasesOn() async throws {
        guard let swarm else { return }
        await onThread("swarm-tidy") { [store, logger] in
            do {
                try store.removeFinishedDownloads()
            } catch {
                logger.warning("what downloads have left cannot be removed", metadata: ["reason": "\(error)"])
            }
        }
        while true {
            let running = releasesHere
            for trouble in await onThread("swarm-tidy", { swarm.handOn(running: running) }) {
                note(trouble, level: .warning)
            }
            try await clock.sleep(for: Self.handOnInterval)
        }
    }

    /// The releases whose layers are here, and which run or will.
    private var releasesHere: Set<NodeSwarm.Release> {
        var releases: Set<NodeSwarm.Release> = []
        for (id, application) in applications {
            for record in application.records.values where !record.isGone {
                guard record.pipeline.state != .working(.download) else { continue }
                releases.insert(.init(id, record.version))
            }
        }
        return releases
    }
}
