import Logging
import VersionKitJournal
import VersionKitModel
import VersionKitProxy
import VersionKitReleases
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade

/// When an old version has nothing left to do (R18); ``Retirement`` decides.
extension Node {
    /// How often the old version's messages are counted.
    private static let sampleInterval = Duration.milliseconds(100)

    /// Returns when nobody needs the old version any more.
    func waitUntilUnused(_ id: ApplicationID, _ old: Version, since new: Version) async throws {
        guard let rule = applications[id]?.running[new]?.manifest.retirement else { return }
        var retirement = Retirement(
            policy: .init(
                messagesPerSecond: rule.messagesPerSecond, period: .milliseconds(rule.periodMilliseconds)))
        while true {
            try await Task.sleep(for: Self.sampleInterval)
            let sample = Retirement.Sample(
                peerMessages: relayCounters.delivered[id]?[old] ?? 0,
                neededAnswers: await applications[id]?.proxy?.counters.needed[old] ?? 0,
                peersBehind: peers.peers(of: id, without: new).count)
            switch retirement.observe(sample, at: clock.now - started) {
            case .keep: continue
            case .retire: return
            case .drain:
                guard applications[id]?.records[old]?.isDraining == false else { continue }
                change(id, old) { $0.isDraining = true }
                note("version \(old) of \(id) gets no reads any more")
                try await updateProxy(id)
            }
        }
    }
}
