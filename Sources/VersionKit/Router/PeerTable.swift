public import VersionKitModel
public import VersionKitWire

/// What this node's router has heard of its peers: which versions run where. Bounded; the peer that was silent for
/// longest makes room.
///
/// - Note: S 3.5; R6, R14.
public struct PeerTable: Sendable, Equatable {
    /// The most peers that are remembered.
    public static let peersMax = 4096

    /// What was heard of one peer.
    public struct Peer: Sendable, Equatable {
        /// The versions that it sent as or advertised.
        public var versions: Set<Version> = []
        /// The peer's last header, by the clock of the caller.
        public var lastHeard: Duration
    }

    /// The peers of each application, by address.
    public private(set) var peers: [ApplicationID: [IPv4Address: Peer]] = [:]

    /// An empty table.
    public init() {}

    /// A header came from a peer.
    ///
    /// - Returns: a version that is newer than all that this peer had shown before, if there is one.
    @discardableResult
    public mutating func heard(_ header: VersionHeader, from address: IPv4Address, at now: Duration) -> Version? {
        var known = peers[header.application] ?? [:]
        if known[address] == nil, known.count >= Self.peersMax,
            let quietest = known.min(by: { $0.value.lastHeard < $1.value.lastHeard })
        {
            known[quietest.key] = nil
        }
        var peer = known[address] ?? Peer(lastHeard: now)
        let newestBefore = peer.versions.max()
        peer.lastHeard = now
        for version in [header.sender, header.advertised] { if let version { peer.versions.insert(version) } }
        known[address] = peer
        peers[header.application] = known
        guard let newest = peer.versions.max(), newestBefore.map({ newest > $0 }) ?? true else { return nil }
        return newest
    }

    /// The peers that were never seen with this version or a newer one: while there are any, an older version is needed.
    public func peers(of application: ApplicationID, without version: Version) -> [IPv4Address] {
        (peers[application] ?? [:]).filter { ($0.value.versions.max() ?? version) < version }.keys.sorted()
    }
}
