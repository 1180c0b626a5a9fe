public import VersionKitModel
public import VersionKitWire

/// What this node's router has heard of its peers: which versions run where. Bounded; the peer that was silent for
/// longest makes room.
///
/// - Note: S 3.5; R6, R14.
public struct PeerTable: Sendable, Equatable, Codable {
    /// The most peers that are remembered of one application.
    public static let peersMax = 4096
    /// The most versions that are remembered of one peer: the newest.
    public static let versionsMax = FleetMessage.versionsMax

    /// What was heard of one peer.
    public struct Peer: Sendable, Equatable, Codable {
        /// The versions that it sent as or advertised, or that it last said to be all.
        public var versions: Set<Version> = []
        /// The peer's last header or message, by the clock of the caller.
        public var lastHeard: Duration
        /// The time stamp of its last message, by the peer's clock: older ones come late and say nothing.
        public var lastStamp: Int64?
        /// How far around it a version serves, as it last said.
        public var horizon: FleetMessage.Horizon?
        /// When its last message came, which proves that it belongs to the fleet.
        public var lastStated: Duration?
        /// When it last said which versions serve there.
        var lastServing: Duration?
        /// When it was last told what serves here.
        var lastTold: Duration?
        /// When it was last told something for being met.
        var lastMet: Duration?

        /// Whether a message of this stamp was overtaken by a later one. One that seems older than any that was let in can come
        /// late is not: the peer's clock was set back.
        func isLate(_ stamp: Int64) -> Bool {
            guard let lastStamp else { return false }
            return lastStamp > stamp && lastStamp - stamp <= 2 * ReplayGuard.freshness
        }
    }

    /// The peers of each application, by address.
    public private(set) var peers: [ApplicationID: [IPAddress: Peer]] = [:]

    /// An empty table.
    public init() {}

    /// A header came from a peer.
    ///
    /// - Returns: a version that is newer than all that this peer had shown before, if there is one.
    @discardableResult
    public mutating func heard(_ header: VersionHeader, from address: IPAddress, at now: Duration) -> Version? {
        change(header.application, address, at: now) { peer in
            for version in [header.sender, header.advertised] { if let version { peer.versions.insert(version) } }
            while peer.versions.count > Self.versionsMax, let oldest = peer.versions.min() {
                peer.versions.remove(oldest)
            }
        }
    }

    /// A peer's message said which versions serve there, and by that which do not any more.
    ///
    /// - Parameter stamp: the message's time stamp, by the peer's clock.
    /// - Returns: a version that is newer than all that this peer had shown before, if there is one; none if the peer
    ///   has said something newer already.
    @discardableResult
    public mutating func stated(
        _ serving: Set<Version>, of application: ApplicationID, by address: IPAddress, stamp: Int64, at now: Duration
    ) -> Version? {
        change(application, address, at: now) { peer in
            if peer.isLate(stamp) { return }
            peer.lastStamp = stamp
            (peer.lastStated, peer.lastServing) = (now, now)
            peer.versions = serving
        }
    }

    /// A peer's message said how far around it a version serves.
    ///
    /// - Parameter stamp: the message's time stamp, by the peer's clock; one that comes late changes nothing.
    public mutating func stated(
        _ horizon: FleetMessage.Horizon, of application: ApplicationID, by address: IPAddress, stamp: Int64,
        at now: Duration
    ) {
        _ = change(application, address, at: now) { peer in
            if peer.isLate(stamp) { return }
            (peer.lastStamp, peer.lastStated) = (stamp, now)
            peer.horizon = horizon
        }
    }

    /// Whether a peer says once more what it said, though it was told nothing since then. It may have begun anew, and know nobody:
    /// then it waits to be told, and takes no word from here for one of the fleet's until it is.
    ///
    /// Asked before ``stated(_:of:by:stamp:at:)`` hears of it. What it is told in answer is no reason for it to answer.
    public func mayHaveForgotten(_ serving: Set<Version>, of application: ApplicationID, by address: IPAddress) -> Bool
    {
        guard let peer = peers[application]?[address], let said = peer.lastServing, peer.versions == serving else {
            return false
        }
        return peer.lastTold.map { $0 < said } ?? true
    }

    /// A peer took what it was told of the versions that serve here, which was sent at this time.
    public mutating func told(_ address: IPAddress, of application: ApplicationID, at time: Duration) {
        peers[application]?[address]?.lastTold = time
    }

    /// Whether a peer is met: the first time, and then again when this interval has passed.
    public mutating func meets(
        _ address: IPAddress, of application: ApplicationID, every interval: Duration, at now: Duration
    ) -> Bool {
        guard let peer = peers[application]?[address], peer.lastMet.map({ now - $0 >= interval }) ?? true else {
            return false
        }
        peers[application]?[address]?.lastMet = now
        return true
    }

    /// Forgets a peer, which is taken to be gone for good; it is known again when it is heard again.
    ///
    /// - Returns: whether it was known.
    public mutating func forget(_ address: IPAddress, of application: ApplicationID) -> Bool {
        guard peers[application]?.removeValue(forKey: address) != nil else { return false }
        if peers[application]?.isEmpty == true { peers[application] = nil }
        return true
    }

    /// Forgets the peers of which nothing was heard for this long.
    ///
    /// - Returns: who was forgotten, by application and address.
    public mutating func forgetSilent(for limit: Duration, at now: Duration) -> [(ApplicationID, IPAddress)] {
        let silent = peers.flatMap { application, known in
            known.filter { now - $0.value.lastHeard >= limit }.map { (application, $0.key) }
        }
        for (application, address) in silent { _ = forget(address, of: application) }
        return silent.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
    }

    /// The peers by which a request could still reach a node on which the version does not serve, or that have not copied for
    /// the last time: while there are any, the one that it takes the place of is needed. A peer on which nothing serves needs
    /// none.
    ///
    /// - Parameters:
    ///   - old: the version that is to go; newer than the other if the fleet goes back.
    ///   - hops: how far a peer has to see not to be among them.
    public func peers(
        of application: ApplicationID, behind version: Version, leaving old: Version,
        seeing hops: Int = FleetMessage.Horizon.hopsToLeave
    ) -> [IPAddress] {
        (peers[application] ?? [:]).filter { $0.value.hops(to: version, leaving: old) < hops }.keys.sorted()
    }

    /// How far around this node the version serves, if it serves here. It grows by a node with each message of all peers
    /// until it is at the most that counts, and falls when a peer comes that has not got so far.
    ///
    /// - Parameters:
    ///   - old: the version that is to go; newer than the other if the fleet goes back.
    ///   - hasCopied: whether what that one has was copied for the last time; until then others are to keep theirs.
    public func horizon(
        of application: ApplicationID, _ version: Version, leaving old: Version, hasCopied: Bool = true
    ) -> FleetMessage.Horizon {
        let all = FleetMessage.Horizon.hopsMax
        let least = (peers[application] ?? [:]).values.map { $0.hops(to: version, leaving: old) }.min() ?? all
        let most = hasCopied ? all : FleetMessage.Horizon.hopsToCopy
        return FleetMessage.Horizon(version, hops: min(most, 1 + least))
    }

    /// Changes what is known of a peer, with room for it; a version that is newer than all it had before.
    private mutating func change(
        _ application: ApplicationID, _ address: IPAddress, at now: Duration, _ body: (inout Peer) -> Void
    ) -> Version? {
        var known = peers[application] ?? [:]
        if known[address] == nil, known.count >= Self.peersMax,
            let quietest = known.min(by: { $0.value.lastHeard < $1.value.lastHeard })
        {
            known[quietest.key] = nil
        }
        var peer = known[address] ?? Peer(lastHeard: now)
        let newestBefore = peer.versions.max()
        peer.lastHeard = now
        body(&peer)
        known[address] = peer
        peers[application] = known
        guard let newest = peer.versions.max(), newestBefore.map({ newest > $0 }) ?? true else { return nil }
        return newest
    }
}

extension PeerTable.Peer {
    /// How many nodes a request for the version may go through, this peer the first. One that said nothing of it is taken to
    /// know nobody else.
    fileprivate func hops(to version: Version, leaving old: Version) -> Int {
        let most = FleetMessage.Horizon.hopsMax
        guard let newest = versions.max() else { return most }
        let isForwards = old <= version
        guard versions.contains(version) || (isForwards && newest > version) else { return 0 }
        guard let horizon else { return most }
        if horizon.version == version { return horizon.hops }
        // It is past this version, or has not said yet that it goes the same way.
        return isForwards && horizon.version > version ? most : 1
    }
}
