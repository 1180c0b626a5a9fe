import Logging
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitReleases
import VersionKitRouter
import VersionKitUpgrade
import VersionKitWire

/// What nodes tell each other without an application's connection: which versions serve. ``Announcements`` says whom to
/// tell and when, ``FleetGate`` what to believe.
extension Node {
    /// The pause between tries to download what a peer vouched for doubles up to this many times.
    private static let downloadRetryDoublingsMax = 7

    // MARK: Telling

    /// Has the peers told of every application whose versions that serve are not those of the last time.
    ///
    /// A version is announced when its way is open, and no sooner: a peer that hears of it may let its own clients rely
    /// on it at once. It stays announced until it serves no more, also while it is started again.
    ///
    /// - Parameter opened: the versions that peers can reach now.
    func announceChanges(opened: [ApplicationID: Set<Version>] = [:]) {
        guard fleetKey != nil else { return }
        for (id, application) in applications {
            let before = announced[id]
            let known = (before ?? application.serving).union(opened[id] ?? [])
            let versions = application.serving.intersection(known)
            announced[id] = versions
            if versions != before ?? [] { announce(id) }
            lookAround(id)
        }
        tellPeers()
    }

    private func announce(_ id: ApplicationID) {
        announcements.announce(id, to: (peers.peers[id] ?? [:]).keys.sorted(), at: elapsed)
    }

    /// Looks how far around this node the version serves that it goes over to, and has the peers told if that changed: what
    /// they know of those behind this node they know by that. ``tellPeers()`` is to be called behind it.
    func lookAround(_ id: ApplicationID) {
        guard fleetKey != nil, let (version, old) = applications[id]?.succession else {
            horizons[id] = nil
            return
        }
        let isAnnounced = announced[id]?.contains(version) == true
        let horizon =
            isAnnounced
            ? peers.horizon(of: id, version, leaving: old, hasCopied: hasCopied(id, old, to: version))
            : FleetMessage.Horizon(version, hops: 0)
        guard horizon != horizons[id] else { return }
        horizons[id] = horizon
        announce(id)
    }

    /// Does what ``Announcements`` wants done now.
    func tellPeers() {
        guard let fleetKey else { return }
        announcementTimer?.cancel()
        announcementTimer = nil
        while !isEnding {
            switch announcements.next(at: elapsed) {
            case .idle: return
            case .send(let target): Task { await self.tell(target, FleetCaller(key: fleetKey)) }
            case .wait(let time):
                let deadline = self.time.began + time
                announcementTimer = Task {
                    do {
                        try await clock.sleep(until: deadline)
                    } catch {
                        return
                    }
                    self.tellPeers()
                }
                return
            }
        }
    }

    private func tell(_ target: Announcements.Target, _ caller: FleetCaller) async {
        let began = elapsed
        do {
            guard let application = applications[target.application], let port = routerPort(of: target.application)
            else { throw NodeError("\(target.application) has no TCP port by which its peers' routers are reached") }
            guard let sender = configuration.address[target.peer.family] else {
                throw NodeError("this node has no address of the kind of \(target.peer)")
            }
            // The horizon goes first: who heard of a version alone would take it that nobody is behind this node.
            var news = horizons[target.application].map { [FleetMessage.News.horizon($0)] } ?? []
            news.append(.serving(announced[target.application] ?? application.serving))
            if let (root, channel) = application.trustKeeper.state?.numbers {
                news.append(.trust(root: root, channel: channel))
            }
            let router = Endpoint(address: target.peer, port: port)
            let way = (from: sender, to: target.peer)
            do {
                let messages = news.map { message($0, of: target.application, way, steadyStamps.next(at: time.steady)) }
                try await caller.tell(messages, application.verdicts.all, to: router)
            } catch let refusal as FleetCaller.Refusal where refusal.isStale {
                // Perhaps the clock was wrong when versiond began, and was set since.
                let messages = news.map { message($0, of: target.application, way, dayStamps.next(at: now)) }
                try await caller.tell(messages, application.verdicts.all, to: router)
            }
            announcements.succeeded(target)
            peers.told(target.peer, of: target.application, at: began)
        } catch {
            logger.debug("a peer was not told", metadata: ["peer": "\(target.peer)", "reason": "\(error)"])
            if announcements.failed(target, at: elapsed) {
                note(
                    "\(target.peer) cannot be told which versions of \(target.application) serve: \(error)",
                    level: .warning)
            }
        }
        tellPeers()
    }

    private func message(
        _ news: FleetMessage.News, of id: ApplicationID, _ way: (from: IPAddress, to: IPAddress), _ stamp: Int64
    ) -> FleetMessage {
        FleetMessage(
            application: id, news: news, sender: way.from, receiver: way.to, stamp: stamp,
            nonce: (0..<FleetMessage.nonceBytes).map { _ in .random(in: .min ... .max) })
    }

    // MARK: Hearing

    /// Another router said something. That it was one of the fleet is proved.
    func handle(_ news: FleetNews) {
        switch news {
        case .versions(let message): handle(message)
        case .verdict(let sealed): handle(sealed)
        }
    }

    /// A peer said which versions serve there, or how new its documents are. That it was this peer is proved.
    private func handle(_ message: FleetMessage) {
        let (id, address) = (message.application, message.sender)
        let serving: Set<Version>
        switch message.news {
        case .trust(let root, let channel): return heard(root: root, channel: channel, of: id, from: address)
        case .horizon(let horizon):
            peers.stated(horizon, of: id, by: address, stamp: message.stamp, at: elapsed)
            lookAround(id)
            return tellPeers()
        case .serving(let versions): serving = versions
        }
        if peers.mayHaveForgotten(serving, of: id, by: address) {
            announcements.announce(id, to: [address], at: elapsed)
        }
        peers.stated(serving, of: id, by: address, stamp: message.stamp, at: elapsed)
        logger.debug(
            "a peer says what serves there",
            metadata: ["peer": "\(address)", "versions": "\(serving.sorted().map(\.description))"])
        _ = announcements.heard(.init(id, address), at: elapsed)
        lookAround(id)
        tellPeers()
        applications[id]?.downloadRetries = 0
        reconsiderPeers(id)
    }

    /// Looks once more at the newest version that a peer vouched for: it may have been said while another upgrade was
    /// under way, or the download have failed. It is not said again before something changes there.
    func reconsiderPeers(_ id: ApplicationID) {
        // Without a key nobody can prove anything; with a root the word of a header is as good.
        let isRooted = applications[id]?.trustKeeper.state != nil
        let vouching = (peers.peers[id] ?? [:]).filter {
            isMember($0.key, of: id) && ($0.value.lastStamp != nil || isRooted)
        }
        let allowed = Set(vouching.values.flatMap(\.versions)).filter { mayBegin($0, of: id) }
        let newest = vouching.compactMap { address, peer in
            peer.versions.intersection(allowed).max().map { (version: $0, address: address) }
        }
        .max { ($0.version, $0.address) < ($1.version, $1.address) }
        guard let newest, !isEnding else { return }
        considerAdvertised(newest.version, of: id, from: newest.address)
        guard let application = applications[id], !application.isUpgrading,
            newest.version > application.newest ?? newest.version,
            case .undone(.download, _)? = application.records[newest.version]?.pipeline.state
        else { return }
        let doublings = min(application.downloadRetries, Self.downloadRetryDoublingsMax)
        applications[id]?.downloadRetries += 1
        application.downloadRetry?.cancel()
        applications[id]?.downloadRetry = Task {
            do {
                try await clock.sleep(for: Self.downloadRetryDelay * (1 << doublings))
            } catch {
                return
            }
            self.reconsiderPeers(id)
        }
    }

    // MARK: Strangers

    /// How long a peer may take to prove itself before it is told again what serves here, for it to do likewise.
    private static let meetingInterval = Duration.seconds(30)

    /// Whether a peer's adverts count: with the fleet's key only from where somebody has proved lately to have it, too.
    private func isMember(_ address: IPAddress, of id: ApplicationID) -> Bool {
        guard fleetKey != nil else { return true }
        guard let stated = peers.peers[id]?[address]?.lastStated else { return false }
        return elapsed - stated < .seconds(Int64(peerSilenceSeconds))
    }

    /// A header came from a peer. Whether its adverts count; if not they are counted, and it is told what serves here, for
    /// a member of the fleet does likewise when it meets this node.
    func meet(_ address: IPAddress, of id: ApplicationID) -> Bool {
        if isMember(address, of: id) { return true }
        if peers.meets(address, of: id, every: Self.meetingInterval, at: elapsed) {
            announcements.announce(id, to: [address], at: elapsed)
            tellPeers()
        }
        return false
    }

    // MARK: Forgetting

    private var peerSilenceSeconds: UInt32 {
        configuration.peerSilenceSeconds ?? NodeConfiguration.peerSilenceSecondsDefault
    }

    /// Forgets peers that are silent for too long, until the task is cancelled. With the fleet's key, tells them four
    /// times in that time what serves here, changed or not: then only who is gone is silent.
    func watchPeers() async throws {
        let limit = Duration.seconds(Int64(peerSilenceSeconds))
        var lastTold = elapsed
        while true {
            try await clock.sleep(for: min(limit / 16, .seconds(60)))
            for (id, address) in peers.forgetSilent(for: limit, at: elapsed) {
                forgot(address, of: id)
                note("\(address) was silent for \(peerSilenceSeconds) s and is forgotten as a peer of \(id)")
            }
            guard fleetKey != nil, elapsed - lastTold >= limit / 4 else { continue }
            lastTold = elapsed
            for id in applications.keys { announce(id) }
            tellPeers()
        }
    }

    /// An operator knows that a peer will not come back.
    func forgetPeer(_ address: IPAddress, of id: ApplicationID) -> ControlResponse {
        guard applications[id] != nil else { return .refused("\(id) is not managed on this node") }
        guard peers.forget(address, of: id) else { return .refused("\(address) is not known as a peer of \(id)") }
        forgot(address, of: id)
        note("\(address) is forgotten as a peer of \(id), as the operator wants")
        return .done("\(address) is forgotten until it is heard again")
    }

    private func forgot(_ address: IPAddress, of id: ApplicationID) {
        forgottenPeers += 1
        announcements.forget(.init(id, address))
        lookAround(id)
        tellPeers()
    }

    /// What this node and its peers told each other.
    var fleetStatus: FleetStatus {
        let told = announcements.counters
        let heard = gate.counters
        return FleetStatus(
            hasKey: fleetKey != nil, peerSilenceSeconds: peerSilenceSeconds, forgotten: forgottenPeers,
            told: told.told, waiting: announcements.waiting, failed: told.failed, givenUp: told.givenUp,
            dropped: told.dropped, received: heard.received, refused: heard.refused, strangersAdverts: strangersAdverts)
    }
}
