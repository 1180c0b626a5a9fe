import Logging
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitProxy
import VersionKitReleases
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade
import VersionKitWire

/// Releases that begin on some nodes first: ``SpreadState`` says what a node does, and these are the means.
///
/// - Note: DESIGN 8; docs/staged-spread.md.
extension Node {
    /// How often a node that waits, or watches, looks again.
    private static let spreadInterval = Duration.milliseconds(200)

    /// Where the spread of a release stands. One that asks for nothing can be withdrawn, too.
    func spread(of id: ApplicationID, _ version: Version) -> SpreadState? {
        guard let application = applications[id], let record = application.records[version],
            let release = try? store.release(id, version)
        else { return nil }
        let manifest = release.manifestDigest
        let rule = release.manifest.spread ?? .everywhere
        var state = SpreadState(
            rule, rank: manifest.rank(of: configuration.node.description), isGiven: record.origin == nil)
        for verdict in application.verdicts.about(version, manifest: manifest) {
            switch verdict.finding {
            case .promoted: state.heard(.good, from: verdict.node)
            case .withdrawn: state.heard(.bad(reason: verdict.reason), from: verdict.node)
            }
        }
        return state
    }

    // MARK: Waiting and watching

    /// Returns when this node may begin with a release that it has.
    ///
    /// - Throws: why it will not.
    func waitForPromotion(_ id: ApplicationID, _ version: Version) async throws {
        guard let first = spread(of: id, version) else { return }
        guard fleetKey != nil || first.decision == .goOn else {
            throw NodeError(
                """
                this release begins on some nodes first, and without the fleet's key (fleetKey) this node can hear of \
                no result
                """)
        }
        if case .wait(_, let needed) = first.decision {
            note("version \(version) of \(id) waits until \(needed) of the nodes that try it out vouch for it")
        }
        applications[id]?.isWaiting = true
        defer { applications[id]?.isWaiting = false }
        while let decision = spread(of: id, version)?.decision {
            switch decision {
            case .tryOut, .goOn: return
            case .takeAway(let reason): throw NodeError(reason)
            case .wait:
                // Which may take days: other upgrades have its place meanwhile.
                applications[id]?.isAdmitted = false
                try await Task.sleep(for: Self.spreadInterval)
            }
        }
    }

    /// Watches a version that serves, vouches for it, and returns when it is promoted. Whether it stays healthy is seen
    /// elsewhere (`watchHealth`).
    ///
    /// - Throws: what speaks against it, or who has withdrawn it; a first version stays, for there is nothing to go back to.
    func watchUntilPromoted(_ id: ApplicationID, _ version: Version) async throws {
        guard case .tryOut = spread(of: id, version)?.decision,
            let rule = applications[id]?.running[version]?.manifest.spread
        else { return }
        applications[id]?.isWaiting = true
        defer { applications[id]?.isWaiting = false }
        let end = clock.now + .milliseconds(rule.observationMilliseconds)
        let before = await applications[id]?.proxy?.counters.writes
        var hasVouched = false
        while case .tryOut = spread(of: id, version)?.decision {
            let writes = await applications[id]?.proxy?.counters.writes
            if let trouble = writes?.trouble[version] { throw NodeError("it keeps failing: \(trouble)") }
            let differing =
                (writes?.diverged[version] ?? 0)
                - min(
                    before?.diverged[version] ?? 0, writes?.diverged[version] ?? 0)
            if differing > 0 { throw NodeError("it did not do \(differing) writes that the old version did") }
            if !hasVouched, clock.now >= end, writes?.lag[version, default: 0] ?? 0 == 0 {
                hasVouched = true
                try judge(id, version, .promoted, "it served for \(rule.observationMilliseconds) ms")
            }
            try await Task.sleep(for: Self.spreadInterval)
        }
        guard applications[id]?.records[version]?.pipeline.predecessor != nil else { return }
        if case .takeAway(let reason) = spread(of: id, version)?.decision { throw NodeError(reason) }
    }

    /// A version is being taken away here: if it was tried out, all others hear of it.
    func withdrawIfTried(_ id: ApplicationID, _ version: Version, at stage: UpgradeStage, reason: String) {
        // What fails before that is this machine's fault.
        guard [.running, .migrate, .serve].contains(stage), case .tryOut = spread(of: id, version)?.decision
        else { return }
        do {
            try judge(id, version, .withdrawn, reason)
        } catch {
            note("nobody can be told that version \(version) of \(id) is bad: \(error)", level: .error)
        }
    }

    // MARK: Verdicts

    /// This node, or its operator, has found something out.
    func judge(_ id: ApplicationID, _ version: Version, _ finding: SpreadVerdict.Finding, _ reason: String) throws {
        guard let fleetKey else {
            throw NodeError("without the fleet's key (fleetKey) this node can tell nobody")
        }
        let release = try store.release(id, version)
        let verdict = SpreadVerdict(
            application: id, version: version, manifest: release.manifestDigest, finding: finding,
            node: configuration.address.primary, time: now, reason: reason)
        handle(SpreadVerdict.Sealed(verdict, code: fleetKey.code(of: verdict.signedText)))
    }

    /// An operator promotes or withdraws a release, for the whole fleet.
    func judge(_ id: ApplicationID, _ version: Version, promotes: Bool, reason: String?) throws -> String {
        guard applications[id] != nil else { throw NodeError("\(id) is not managed on this node") }
        let rule = try store.release(id, version).manifest.spread ?? .everywhere
        if promotes, rule.promotions == 0 {
            throw NodeError("version \(version) of \(id) does not ask to be tried out first")
        }
        try judge(id, version, promotes ? .promoted : .withdrawn, reason ?? "as the operator wants")
        if promotes, rule.promotions > 1 {
            return "this node vouches for version \(version) of \(id), as \(rule.promotions) nodes have to"
        }
        return "version \(version) of \(id) is \(promotes ? "promoted" : "withdrawn"), and the peers are told"
    }

    /// A verdict came: it is kept, acted on, and passed on.
    func handle(_ sealed: SpreadVerdict.Sealed) {
        let verdict = sealed.verdict
        let id = verdict.application
        guard let application = applications[id], verdict.version >= application.newestAlone ?? verdict.version,
            applications[id]?.verdicts.add(sealed) == true
        else { return }
        if let alone = application.newestAlone { applications[id]?.verdicts.forget(before: alone) }
        do {
            try verdicts.write(applications.values.flatMap(\.verdicts.all))
        } catch {
            note("verdicts cannot be kept: \(error)", level: .error)
        }
        note("version \(verdict.version) of \(id) is \(verdict.finding.rawValue) by \(verdict.node): \(verdict.reason)")
        takeAwayIfWithdrawn(id, verdict.version)
        announcements.announce(id, to: (peers.peers[id] ?? [:]).keys.sorted(), at: elapsed)
        tellPeers()
    }

    private func takeAwayIfWithdrawn(_ id: ApplicationID, _ version: Version) {
        guard case .takeAway(let reason) = spread(of: id, version)?.decision,
            var pipeline = applications[id]?.records[version]?.pipeline, !pipeline.isUndone
        else { return }
        if (try? pipeline.rollBack(reason: reason)) != nil {
            change(id, version) { $0.pipeline = pipeline }
            applications[id]?.stageTask?.cancel()
        } else if !goBackIfWithdrawn(id) {
            note("version \(version) of \(id), \(reason), stays until there is one to go back to", level: .error)
        }
    }

    /// Why a version is not wanted any more, by those who tried it out or by its publishers; `nil`: it is.
    func objection(to version: Version, of id: ApplicationID) -> String? {
        if case .takeAway(let reason) = spread(of: id, version)?.decision { return reason }
        return applications[id]?.trustKeeper.withdrawn[version].map { "withdrawn by its publishers: \($0)" }
    }

    /// A version that serves alone was found bad: the one before it runs again beside it, gets its state, and then this
    /// one retires. It is an upgrade in the other direction, and loses as little. Nothing happens while another one is
    /// under way; at its end this is asked again.
    ///
    /// - Returns: whether that has begun.
    @discardableResult
    func goBackIfWithdrawn(_ id: ApplicationID) -> Bool {
        guard let application = applications[id], !application.isUpgrading, !isEnding,
            let bad = application.newestServing, let reason = objection(to: bad, of: id),
            let good = application.records[bad]?.pipeline.predecessor, good < bad, objection(to: good, of: id) == nil,
            application.records[good]?.isRetired == true, (try? store.release(id, good)) != nil
        else { return false }
        note("version \(bad) of \(id) was \(reason): back to version \(good), with all that was written", level: .error)
        begin(good, of: id, origin: nil)
        return true
    }

    /// What a versiond before this one had heard.
    func restoreVerdicts() {
        let kept = verdicts.read { note("verdicts are lost: \($0)", level: .error) }
        for (id, list) in Dictionary(grouping: kept, by: \.verdict.application) {
            applications[id]?.verdicts = SpreadVerdicts(list)
        }
    }

    /// What operators see of it.
    func spreadStatus(of id: ApplicationID, _ version: Version) -> SpreadStatus? {
        let asks = (try? store.release(id, version))?.manifest.spread != nil
        return switch spread(of: id, version)?.decision {
        case nil: nil
        case .tryOut(let vouched, let needed): SpreadStatus(.canary, vouched: vouched, needed: needed)
        case .wait(let vouched, let needed): SpreadStatus(.waiting, vouched: vouched, needed: needed)
        case .goOn: asks ? SpreadStatus(.promoted) : nil
        case .takeAway(let reason): SpreadStatus(.withdrawn, reason: reason)
        }
    }
}

extension ManagedApplication {
    /// The newest version that serves and has no older one beside it that it could give the work back to.
    var newestAlone: Version? {
        records.values.filter { $0.pipeline.state == .complete && !$0.isRetired }.map(\.version).max()
    }
}
