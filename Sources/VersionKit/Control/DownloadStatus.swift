/// How far a node is with the layers of a release.
public struct DownloadStatus: Codable, Sendable, Equatable {
    /// Where they come from.
    public enum Way: String, Codable, Sendable {
        /// From all nodes that have them or are fetching them, by BitTorrent.
        case swarm
        /// From the node that advertised the release.
        case direct
    }

    /// Where they come from.
    public var way: Way
    /// Bytes that are here.
    public var bytes: UInt64
    /// Bytes that are wanted, those that were here before included.
    public var bytesWanted: UInt64
    /// Bytes that came over the network; with the way `swarm` only.
    public var bytesReceived: UInt64
    /// Bytes per second at the moment; with the way `swarm` only.
    public var bytesPerSecond: UInt64
    /// Connections to peers; with the way `swarm` only.
    public var peers: Int
    /// Why the way is no longer `swarm`.
    public var fallback: String?

    /// A status.
    public init(
        way: Way, bytes: UInt64, bytesWanted: UInt64, bytesReceived: UInt64 = 0, bytesPerSecond: UInt64 = 0,
        peers: Int = 0, fallback: String? = nil
    ) {
        self.way = way
        self.bytes = bytes
        self.bytesWanted = bytesWanted
        self.bytesReceived = bytesReceived
        self.bytesPerSecond = bytesPerSecond
        self.peers = peers
        self.fallback = fallback
    }
}

/// A node's part in the distribution of releases by BitTorrent.
public struct SwarmStatus: Codable, Sendable, Equatable {
    /// The port for peers; `nil` until the node has something to fetch or to hand on.
    public var port: UInt16?
    /// Releases that are fetched or handed on.
    public var releases: Int
    /// Connections to peers.
    public var peers: Int
    /// Bytes that went to peers, of the releases that are handed on now.
    public var bytesSent: UInt64
    /// Bytes that came from peers, of the same.
    public var bytesReceived: UInt64
    /// Pieces that came and were wrong, since versiond began.
    public var wrongPieces: UInt64
    /// Peers that are not asked any more, for they lied.
    public var bannedPeers: UInt64
    /// Downloads that went on directly because no peer got them on.
    public var fallbacks: UInt64
    /// Why there is no port.
    public var trouble: String?

    /// A status.
    public init(
        port: UInt16? = nil, releases: Int = 0, peers: Int = 0, bytesSent: UInt64 = 0, bytesReceived: UInt64 = 0,
        wrongPieces: UInt64 = 0, bannedPeers: UInt64 = 0, fallbacks: UInt64 = 0, trouble: String? = nil
    ) {
        self.port = port
        self.releases = releases
        self.peers = peers
        self.bytesSent = bytesSent
        self.bytesReceived = bytesReceived
        self.wrongPieces = wrongPieces
        self.bannedPeers = bannedPeers
        self.fallbacks = fallbacks
        self.trouble = trouble
    }
}

extension DownloadStatus {
    /// In words: `download: 12 of 48 MB by swarm, 11.2 MB/s from 7 peers`.
    var line: String {
        var line =
            "download: \(megabytes(bytes)) of \(megabytes(bytesWanted)) MB \(way == .swarm ? "by swarm" : "directly")"
        if way == .swarm { line += ", \(megabytes(bytesPerSecond)) MB/s from \(peers) peers" }
        if let fallback { line += " (\(fallback))" }
        return line
    }
}

extension SwarmStatus {
    /// In words; none as long as there was nothing to fetch or to hand on.
    var lines: [String] {
        guard let port else { return trouble.map { ["  swarm: \($0)"] } ?? [] }
        return [
            "  swarm: port \(port), \(releases) releases, \(peers) peers, \(megabytes(bytesSent)) MB sent, "
                + "\(megabytes(bytesReceived)) MB received; \(wrongPieces) wrong pieces, \(bannedPeers) peers banned, "
                + "\(fallbacks) downloads went on directly"
        ]
    }
}

/// Bytes as megabytes with one decimal.
private func megabytes(_ bytes: UInt64) -> String {
    let tenths = (bytes + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10)"
}
