import Synchronization
import VersionKitControl
import VersionKitModel
import VersionKitReleases
import VersionKitRouter
import VersionKitSwarm

/// A node's part in the distribution of releases: its session of BitTorrent, which begins when there is something to fetch
/// or to hand on; which releases those are; whom it introduces to whom.
///
/// Thread-safe. What waits for libtorrent's thread is to be called on a thread of its own.
final class NodeSwarm: Sendable {
    typealias Release = Introducer.Release

    /// A release that is in the session.
    struct Member {
        var torrent: Swarm.Torrent
        var isComplete: Bool
    }

    private struct State {
        var session: Swarm?
        var port: UInt16?
        var trouble: String?
        /// The trouble that operators were told of.
        var told: String?
        /// When it may be tried again to begin.
        var retryAt = Duration.zero
        var members: [Release: Member] = [:]
        var introducer = Introducer()
        var policy = SeedingPolicy()
        /// What cannot be handed on, for a reason that does not pass; asked again when it is wanted anew.
        var unfit: Set<Release> = []
        var downloads: [Release: DownloadStatus] = [:]
        var fallbacks: UInt64 = 0
        var random = SystemRandomNumberGenerator()
    }

    /// The pause behind a try to begin that failed, for want of the port as a rule.
    private static let retryPause = Duration.seconds(10)

    private let options: SwarmOptions
    private let store: ReleaseStore
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private let state = Mutex(State())

    init(_ options: SwarmOptions, store: ReleaseStore) {
        self.options = options
        self.store = store
        began = clock.now
    }

    /// The time since versiond began, for state machines.
    var elapsed: Duration { clock.now - began }

    // MARK: The session

    /// Takes part in a release's swarm. Waits for libtorrent's thread.
    ///
    /// - Returns: the session, and the port that others are to be told of.
    func join(
        _ release: Release, _ file: [UInt8], in directory: String, _ presence: Swarm.Presence, unwanted: [Bool] = []
    ) throws(SwarmError) -> (session: Swarm, torrent: Swarm.Torrent, port: UInt16) {
        try state.withLock { (state) throws(SwarmError) in
            let (session, port) = try begin(&state)
            if presence == .complete {
                state.policy.want(release, at: elapsed)
                // Somebody else was faster: whoever fetches from it already goes on.
                if let earlier = state.members[release], earlier.isComplete { return (session, earlier.torrent, port) }
            }
            if let earlier = state.members.removeValue(forKey: release) { session.remove(earlier.torrent) }
            let torrent = try session.add(file, in: directory, presence, unwanted: unwanted)
            state.members[release] = Member(torrent: torrent, isComplete: presence == .complete)
            return (session, torrent, port)
        }
    }

    private func begin(_ state: inout State) throws(SwarmError) -> (Swarm, UInt16) {
        if let session = state.session, let port = state.port { return (session, port) }
        if let trouble = state.trouble, elapsed < state.retryAt { throw SwarmError(trouble) }
        do throws(SwarmError) {
            let session = try Swarm(options)
            guard let port = session.port, options.port == 0 || port == options.port else {
                throw SwarmError(
                    """
                    port \(options.port) cannot be listened on: free it, or give versiond another one (swarmPort in its \
                    configuration)
                    """)
            }
            (state.session, state.port, state.trouble) = (session, port, nil)
            return (session, port)
        } catch {
            (state.trouble, state.retryAt) = (error.description, elapsed + Self.retryPause)
            throw error
        }
    }

    /// A download is over: what came is handed on.
    func completed(_ release: Release) {
        state.withLock { state in
            state.members[release]?.isComplete = true
            state.policy.want(release, at: elapsed)
            state.downloads[release] = nil
        }
    }

    /// Leaves a release's swarm.
    func leave(_ release: Release) {
        state.withLock { state in
            if let member = state.members.removeValue(forKey: release) { state.session?.remove(member.torrent) }
        }
    }

    /// Ends the session. Blocks for up to seconds.
    func close() {
        let session = state.withLock { state in
            state.members = [:]
            state.port = nil
            return state.session.take()
        }
        withExtendedLifetime(session) {}
    }

    // MARK: Handing on

    /// Hands on what is to be handed on, and nothing else. Waits for libtorrent's thread.
    ///
    /// - Parameter running: the releases that run here.
    /// - Returns: what an operator should know.
    func handOn(running: Set<Release>) -> [String] {
        let (begin, end): (Set<Release>, Set<Release>) = state.withLock { state in
            for release in running { state.policy.want(release, at: elapsed) }
            let wanted = state.policy.releases(at: elapsed)
            state.unfit.formIntersection(wanted)
            let members = state.members
            return (
                wanted.subtracting(members.keys).subtracting(state.unfit),
                Set(members.keys.filter { members[$0]?.isComplete == true }).subtracting(wanted)
            )
        }
        for release in end { leave(release) }
        var troubles: [String] = []
        let told = state.withLock(\.told)
        for release in begin {
            do {
                if try !handOnIfWhole(release) { _ = state.withLock { $0.unfit.insert(release) } }
            } catch {
                let trouble = state.withLock { state in
                    if state.session != nil || state.trouble == nil { state.unfit.insert(release) }
                    return state.trouble
                }
                // The port may be free later: that is said once.
                if trouble == nil || trouble != told {
                    troubles.append("\(release.application) \(release.version) is not handed on to peers: \(error)")
                }
            }
        }
        state.withLock { state in
            state.told = state.trouble
            return state.session
        }?.update()
        return troubles
    }

    /// Begins to hand a release on; false if not all of it is here, or it has no torrent file.
    private func handOnIfWhole(_ release: Release) throws -> Bool {
        let manifest = try store.release(release.application, release.version).manifest
        guard let file = try store.torrent(of: manifest), try store.missingLayers(of: manifest).isEmpty else {
            return false
        }
        _ = try join(release, file, in: store.root, .complete)
        return true
    }

    // MARK: Introductions

    /// Whom to tell a peer of that fetches a release. May wait for the disk and for libtorrent's thread.
    func introduce(_ asker: Endpoint, to release: Release, isStuck: Bool) -> [Endpoint] {
        let isUnknown = state.withLock { $0.members[release] == nil && !$0.unfit.contains(release) }
        // A peer can hear of a release before this node has looked again at what runs here; told of nobody he would fetch
        // all of it from the one who advertised it. What keeps it from that, the next look finds out and tells.
        if isUnknown { _ = try? handOnIfWhole(release) }
        return state.withLock { state in
            var own: Endpoint?
            if state.members[release] != nil, let port = state.port,
                let address = options.addresses.first(where: { $0.family == asker.address.family })
            {
                own = Endpoint(address: address, port: port)
            }
            return state.introducer.answer(
                asker, about: release, isStuck: isStuck, own: own, at: elapsed, using: &state.random)
        }
    }

    /// Others told this node of peers.
    func remember(_ peers: [Endpoint], of release: Release) {
        state.withLock { state in
            for peer in peers { state.introducer.remember(peer, of: release, at: elapsed) }
        }
    }

    // MARK: What operators see

    /// How far a download is; `nil`: it is over.
    func note(_ status: DownloadStatus?, of release: Release) {
        state.withLock { state in
            let fallback = state.downloads[release]?.fallback
            state.downloads[release] = status
            if let fallback { state.downloads[release]?.fallback = fallback }
        }
    }

    /// A download goes on directly.
    func noteFallback(of release: Release, because reason: String) {
        state.withLock { state in
            state.fallbacks += 1
            state.downloads[release] = DownloadStatus(way: .direct, bytes: 0, bytesWanted: 0, fallback: reason)
        }
    }

    /// How far a download is.
    func download(of release: Release) -> DownloadStatus? { state.withLock { $0.downloads[release] } }

    /// What was done so far.
    var status: SwarmStatus {
        let (session, members, port, fallbacks, trouble) = state.withLock {
            ($0.session, $0.members, $0.port, $0.fallbacks, $0.trouble)
        }
        var status = SwarmStatus(port: port, releases: members.count, fallbacks: fallbacks, trouble: trouble)
        guard let session else { return status }
        session.update()
        for member in members.values {
            guard let progress = session.progress(of: member.torrent) else { continue }
            status.peers += progress.peers
            status.bytesSent += progress.uploaded
            status.bytesReceived += progress.downloaded
        }
        let counters = session.counters
        status.wrongPieces = counters.wrongPieces
        status.bannedPeers = counters.bannedPeers
        return status
    }
}
