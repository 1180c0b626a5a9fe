import Logging
import VersionKitControl
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitReleases
import VersionKitRouter
import VersionKitUpgrade
import VersionKitWire

/// Roots and channels: where they come from, and what follows from them. ``TrustState`` says what to believe,
/// ``Withdrawal`` what to take away.
extension Node {
    /// How often the clock is looked at, and whether something is left that has to go.
    private static let trustInterval = Duration.seconds(1)
    /// How often a peer is asked unprompted for newer documents.
    private static let askInterval = Duration.seconds(60)
    /// The shortest time between two questions that nobody proved to have a reason for.
    private static let hintInterval = Duration.seconds(1)
    /// How often a peer that said to have something newer is asked in vain; the pause doubles.
    private static let learnTries = 6

    /// The clock's time, in whole seconds.
    var utcNow: UTCTime { UTCTime(seconds: now / 1000) }

    // MARK: Getting them

    /// An operator hands in a root.
    func publishRoot(_ path: String) throws -> String {
        let root = try SignedDocument<TrustRoot>(contentsOf: path)
        try keeper(of: root.content.application).accept(root)
        trustChanged(root.content.application, "root \(root.content.number), by an operator")
        return "root \(root.content.number) of \(root.content.application) is taken"
    }

    /// An operator hands in a channel.
    func publishChannel(_ path: String) throws -> String {
        let channel = try SignedDocument<ReleaseChannel>(contentsOf: path)
        let id = channel.content.application
        guard try keeper(of: id).accept(channel, at: utcNow) else { return "channel \(channel.content.number) is here" }
        trustChanged(id, "channel \(channel.content.number), by an operator")
        return "channel \(channel.content.number) of \(id) is taken"
    }

    private func keeper(of id: ApplicationID) throws -> TrustKeeper {
        guard let application = applications[id] else { throw NodeError("\(id) is not managed on this node") }
        return application.trustKeeper
    }

    /// A peer proved to have documents of these numbers.
    func heard(root: UInt64, channel: UInt64, of id: ApplicationID, from address: IPAddress) {
        guard let own = applications[id]?.trustKeeper.state?.numbers, root > own.root || channel > own.channel else {
            return
        }
        learn(id, from: address, tries: Self.learnTries)
    }

    /// A peer may have newer documents: it is new here, or shows a version that nobody offers. That is no proof of anything,
    /// so it is asked once, and not often.
    func mayHaveNews(_ id: ApplicationID, _ address: IPAddress) {
        if let last = applications[id]?.lastAsked, elapsed - last < Self.hintInterval { return }
        learn(id, from: address, tries: 1)
    }

    private func learn(_ id: ApplicationID, from address: IPAddress, tries: Int) {
        guard let application = applications[id], application.trustKeeper.state != nil, !isEnding else { return }
        guard !application.isLearning else {
            applications[id]?.learnNext = (address, tries)
            return
        }
        applications[id]?.isLearning = true
        applications[id]?.lastAsked = elapsed
        Task {
            await self.fetchTrust(id, from: address, tries: tries)
            applications[id]?.isLearning = false
            guard let next = applications[id]?.learnNext else { return }
            applications[id]?.learnNext = nil
            learn(id, from: next.address, tries: next.tries)
        }
    }

    private func fetchTrust(_ id: ApplicationID, from address: IPAddress, tries: Int) async {
        var pause = Duration.milliseconds(200)
        var left = tries
        while left > 0, !isEnding, let keeper = applications[id]?.trustKeeper, let state = keeper.state,
            let port = routerPort(of: id)
        {
            do {
                let router = Endpoint(address: address, port: port)
                let news = try await TrustFetcher(state: state, now: utcNow).fetch(from: router)
                guard !news.isEmpty else { return }
                for root in news.roots { try keeper.accept(root) }
                if let channel = news.channel { _ = try keeper.accept(channel, at: utcNow) }
                let numbers = keeper.state?.numbers ?? (0, 0)
                trustChanged(id, "root \(numbers.0) and channel \(numbers.1), from \(address)")
            } catch {
                left -= 1
                logger.debug("no newer documents", metadata: ["peer": "\(address)", "reason": "\(error)"])
                guard left > 0 else { return }
                try? await clock.sleep(for: pause)
                pause *= 2
            }
        }
    }

    // MARK: What follows

    private func trustChanged(_ id: ApplicationID, _ what: String) {
        note("\(id) goes by \(what)")
        if fleetKey != nil {
            announcements.announce(id, to: (peers.peers[id] ?? [:]).keys.sorted(), at: elapsed)
            tellPeers()
        }
        obeyWithdrawals(id)
        reconsiderPeers(id)
    }

    /// Whether a version that somebody advertises may begin.
    func mayBegin(_ version: Version, of id: ApplicationID) -> Bool {
        (try? applications[id]?.trustKeeper.checkBeginning(of: version, at: utcNow)) != nil
    }

    /// Whether a release that is here may begin, by what is known of its publishers now.
    ///
    /// - Throws: ``ReleaseError`` with the reason why not.
    func checkBeginning(_ manifest: ReleaseManifest, of application: ManagedApplication) throws(ReleaseError) {
        let keeper = application.trustKeeper
        // What ran here before, and was not withdrawn, may come back when nothing else may begin.
        let isGoingBack = application.records[manifest.version]?.isGoingBack == true
        if !isGoingBack { try keeper.checkBeginning(of: manifest.version, at: utcNow) }
        let older = application.records.values.filter {
            $0.version != manifest.version && !$0.isRetired && !$0.pipeline.isUndone
        }
        try application.trust.acceptance(
            of: manifest, current: older.map(\.version).max(), requested: isGoingBack ? .operator : .advertised,
            at: keeper.now(at: utcNow))
    }

    /// Asks again, before anything of a release runs, whether it may: since it was fetched the node may have waited for days.
    ///
    /// When nothing at all may begin, as the channel has expired, it returns when there is a newer one: by then the release is
    /// as good as before.
    ///
    /// - Throws: why this release may not begin any more.
    func waitForTrust(_ id: ApplicationID, _ version: Version) async throws {
        defer {
            applications[id]?.obstacle = nil
            applications[id]?.isWaiting = false
        }
        while let application = applications[id] {
            let isGoingBack = application.records[version]?.isGoingBack == true
            guard !isGoingBack, let error = application.trustKeeper.state?.obstacle(at: utcNow) else {
                let release = try store.release(id, version)
                let manifest = try application.trust.verify(
                    manifestBytes: release.manifestBytes, signatureBytes: release.signatureBytes)
                return try checkBeginning(manifest, of: application)
            }
            if application.obstacle == nil {
                note("the upgrade of \(id) to version \(version) waits: \(error)", level: .warning)
            }
            applications[id]?.obstacle = error.description
            applications[id]?.isWaiting = true
            try await Task.sleep(for: Self.trustInterval)
        }
    }

    /// Keeps the time, asks a peer now and then, and looks for what has to go, until the task is cancelled.
    func watchTrust() async throws {
        var lastAsked = elapsed
        for id in applications.keys {
            for problem in applications[id]?.trustKeeper.problems ?? [] { note(problem, level: .error) }
        }
        while true {
            try await clock.sleep(for: Self.trustInterval)
            let asks = elapsed - lastAsked >= Self.askInterval
            if asks { lastAsked = elapsed }
            for (id, application) in applications where application.trustKeeper.state != nil {
                do throws(ReleaseError) {
                    try application.trustKeeper.observe(utcNow)
                } catch {
                    note("the time cannot be kept: \(error)", level: .error)
                }
                obeyWithdrawals(id)
                if asks, let peer = peers.peers[id]?.keys.randomElement() { mayHaveNews(id, peer) }
            }
        }
    }

    /// Takes away what the publishers took back.
    private func obeyWithdrawals(_ id: ApplicationID) {
        guard let application = applications[id], !application.isObeying, !isEnding,
            !application.trustKeeper.withdrawn.isEmpty
        else { return }
        applications[id]?.isObeying = true
        Task {
            await self.obey(id)
            applications[id]?.isObeying = false
        }
    }

    private func obey(_ id: ApplicationID) async {
        guard let application = applications[id] else { return }
        let withdrawn = application.trustKeeper.withdrawn
        let pipelines = application.records.values.filter { !$0.isGone }.map(\.pipeline)
        let newest = pipelines.map(\.version).max()
        guard let newest, let why = withdrawn[newest] else {
            applications[id]?.withdrawalTrouble = nil
            return
        }
        let reason = "withdrawn by its publishers: \(why)"
        do {
            let snapshots = try await listSnapshots().filter { $0.application == id }
            switch Withdrawal.step(
                pipelines, withdrawn: Set(withdrawn.keys), snapshots: Set(snapshots.map(\.version)))
            {
            case .nothing: return
            case .takeAway: _ = try await rollBack(id, reason: reason)
            case .goBack where goBackIfWithdrawn(id), .keep where goBackIfWithdrawn(id): return
            case .goBack(let version):
                guard !application.isUpgrading,
                    let snapshot = snapshots.last(where: { $0.version == version })
                else { return }
                try await goBack(id, to: snapshot, reason)
            case .keep(let version):
                throw NodeError("version \(version) is \(reason); it goes on, for nothing older is left to go back to")
            }
            applications[id]?.withdrawalTrouble = nil
        } catch {
            // Tried again with the next look; said once.
            guard applications[id]?.withdrawalTrouble != "\(error)" else { return }
            applications[id]?.withdrawalTrouble = "\(error)"
            note("\(error)", level: .error)
        }
    }

    /// What operators see of it.
    func trustStatus(of application: ManagedApplication) -> TrustStatus? {
        guard let state = application.trustKeeper.state else { return nil }
        let channel = state.channel?.content
        let obstacle = state.obstacle(at: utcNow).map(\.description)
        return TrustStatus(
            root: state.numbers.root, rootExpires: state.root.content.expires, channel: state.numbers.channel,
            channelExpires: channel?.expires,
            offered: (channel?.releases ?? []).filter { $0.state == .offered }.map(\.version),
            withdrawn: state.withdrawn.keys.sorted(),
            trouble: [obstacle, application.withdrawalTrouble].compactMap(\.self),
            refused: application.trustKeeper.refused)
    }
}
