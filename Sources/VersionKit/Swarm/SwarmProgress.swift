import CTorrent

/// What has become of one torrent.
package struct SwarmProgress: Sendable, Hashable {
    /// Bytes of the files that are wanted.
    package var wanted: UInt64 = 0
    /// Of these, those that are here and right.
    package var done: UInt64 = 0
    /// Bytes that came since it was added, right or wrong, without the protocol's own.
    package var downloaded: UInt64 = 0
    /// Bytes that went.
    package var uploaded: UInt64 = 0
    /// Bytes that came and were wrong.
    package var failed: UInt64 = 0
    /// Bytes per second.
    package var downloadRate: UInt64 = 0
    /// Bytes per second.
    package var uploadRate: UInt64 = 0
    /// Connections to peers.
    package var peers = 0
    /// Whether it is known what was here before.
    package var isChecked = false
    /// Whether all that is wanted is in the files, for whoever reads them.
    package var isFinished = false
    /// Why it cannot go on.
    package var trouble: String?

    /// Nothing yet.
    package init() {}
}

extension SwarmProgress {
    init(_ status: vk_swarm_status) {
        wanted = UInt64(clamping: status.wanted)
        done = UInt64(clamping: status.done)
        downloaded = UInt64(clamping: status.downloaded)
        uploaded = UInt64(clamping: status.uploaded)
        failed = UInt64(clamping: status.failed)
        downloadRate = UInt64(clamping: status.download_rate)
        uploadRate = UInt64(clamping: status.upload_rate)
        peers = Int(status.peers)
        isChecked = status.is_checked
        isFinished = status.is_finished
        let error = withUnsafeBytes(of: status.error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        trouble = error.isEmpty ? nil : error
    }
}

/// What a session counted since it began.
package struct SwarmCounters: Sendable, Hashable, Codable {
    /// Pieces that came and were wrong.
    package var wrongPieces: UInt64 = 0
    /// Peers that lied, and are not asked any more.
    package var bannedPeers: UInt64 = 0

    package init() {}
}
