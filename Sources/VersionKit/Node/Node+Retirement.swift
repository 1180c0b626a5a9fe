import Logging
import VersionKitJournal
import VersionKitModel
import VersionKitProxy
import VersionKitReleases
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade
import VersionKitWire

/// When an old version has nothing left to do (R18); ``Retirement`` decides.
extension Node {
    /// How often the old version's messages are counted: ten times in the period that decides, within these bounds.
    private static let sampleIntervals = Duration.milliseconds(100)...Duration.seconds(1)

    /// Returns when nobody needs the old version any more.
    func waitUntilUnused(_ id: ApplicationID, _ old: Version, since new: Version) async throws {
        do {
            try await watchUntilUnused(id, old, since: new)
        } catch {
            await stopLastMigration(id)
            throw error
        }
        await stopLastMigration(id)
    }

    private func watchUntilUnused(_ id: ApplicationID, _ old: Version, since new: Version) async throws {
        guard let rule = applications[id]?.running[new]?.manifest.retirement else { return }
        applications[id]?.isWaiting = true
        defer { applications[id]?.isWaiting = false }
        // An earlier upgrade may have been undone while it was about to depart.
        if applications[id]?.records[old]?.departure != nil { change(id, old) { $0.departure = nil } }
        var retirement = Retirement(
            policy: .init(
                messagesPerSecond: rule.messagesPerSecond, period: .milliseconds(rule.periodMilliseconds)),
            needsCopy: needsLastMigration(id, old, new), isCopied: hasCopied(id, old, to: new))
        let tenth = Duration.milliseconds(rule.periodMilliseconds) / 10
        let interval = min(max(tenth, Self.sampleIntervals.lowerBound), Self.sampleIntervals.upperBound)
        while true {
            try await Task.sleep(for: interval)
            if try await isLeftBehind(id, old, new) { return }
            let sample = Retirement.Sample(
                peerMessages: await peerMessages(id, old),
                neededAnswers: await applications[id]?.proxy?.counters.needed[old] ?? 0,
                peersBehind: peers.peers(of: id, behind: new, leaving: old).count,
                peersFarBehind: peers.peers(
                    of: id, behind: new, leaving: old, seeing: FleetMessage.Horizon.hopsToCopy
                ).count)
            if applications[id]?.records[new]?.lastMigration?.isGivenUp == true {
                await stopLastMigration(id)
                retirement.goWithoutCopy()
            }
            hearOfLastMigration(id, from: old, to: new, &retirement)
            if applications[id]?.records[old]?.isDismissed == true { retirement.dismiss() }
            let isCopying = applications[id]?.lastMigration != nil
            applications[id]?.isWaiting = !isCopying
            switch retirement.observe(sample, at: elapsed) {
            case .keep where retirement.isCopyOfUse: continue
            case .keep: await forgetLastMigration(id, to: new)
            case .copy: copyOnceMore(id, from: old, to: new)
            case .retire:
                // Draining began a last comparison of the two; it has to end, and to have healed what it found.
                try await applications[id]?.proxy?.waitUntilUpToDate(old) { _ in }
                try await applications[id]?.proxy?.waitUntilUpToDate(new) { _ in }
                return
            case .drain:
                guard applications[id]?.records[old]?.isDraining == false else { continue }
                change(id, old) { $0.isDraining = true }
                note("version \(old) of \(id) gets no reads any more")
                try await updateProxy(id)
            }
        }
    }

    /// An operator wants the older version gone, although somebody may need it: it goes by the same last steps.
    func dismiss(_ id: ApplicationID) throws -> String {
        guard let application = applications[id] else { throw NodeError("\(id) is not managed on this node") }
        guard let new = application.underWay, let pipeline = application.records[new]?.pipeline,
            let old = pipeline.predecessor, application.records[old]?.isGone == false
        else {
            throw NodeError("no older version of \(id) is kept here")
        }
        guard pipeline.isServing else {
            throw NodeError("version \(new) of \(id) does not serve yet, so version \(old) is all that there is")
        }
        guard !pipeline.isInPlace, pipeline.state != .working(.retire) else {
            throw NodeError("version \(old) of \(id) retires already")
        }
        guard application.records[old]?.isDismissed != true else { return try dismissUncopied(id, old, new) }
        if case .tryOut = spread(of: id, new)?.decision {
            throw NodeError("version \(new) of \(id) is being tried out; promote it first")
        }
        change(id, old) { $0.isDismissed = true }
        let behind = peers.peers(of: id, behind: new, leaving: old)
        let known = behind.isEmpty ? "" : "; peers that need it, and will not find it here: \(behind.count)"
        note("version \(old) of \(id) retires at the operator's word\(known)")
        let steps =
            hasCopied(id, old, to: new)
            ? "is drained, compared with version \(new) once more, and retires"
            : "is copied to version \(new) once more, is drained, and retires"
        return "version \(old) of \(id) \(steps)\(known)"
    }

    /// An operator said it already. Only where the old version cannot be copied once more it means something to say it again.
    private func dismissUncopied(_ id: ApplicationID, _ old: Version, _ new: Version) throws -> String {
        guard let report = applications[id]?.records[new]?.lastMigration, report.milliseconds == nil,
            let failure = report.failure
        else { throw NodeError("version \(old) of \(id) retires already") }
        change(id, new) { $0.lastMigration?.giveUp(at: time.steady) }
        note("version \(old) of \(id) goes with what only it has, as the operator wants: \(failure)", level: .warning)
        lookAround(id)
        tellPeers()
        return "version \(old) of \(id) goes with what only it has, as that could not be copied: \(failure)"
    }

    /// Whether the old version keeps failing while the new one is complete: it goes before its time. A new version that
    /// keeps failing is taken away, by this error.
    private func isLeftBehind(_ id: ApplicationID, _ old: Version, _ new: Version) async throws -> Bool {
        switch await applications[id]?.proxy?.counters.writes.departure(old: old, new: new) {
        case .newer(let reason):
            change(id, new) { _ = try? $0.pipeline.rollBack(reason: "it keeps failing: \(reason)") }
            throw NodeError("version \(new) keeps failing: \(reason)")
        case .older(let reason):
            change(id, old) { $0.departure = "it keeps failing: \(reason)" }
            note("version \(old) of \(id) keeps failing and retires before its time: \(reason)", level: .error)
            return true
        case nil: return false
        }
    }
}
