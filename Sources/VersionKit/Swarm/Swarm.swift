import CTorrent
package import VersionKitModel

/// A node's part in all its swarms: one session of libtorrent, with one port.
///
/// It finds nobody by itself: no tracker, no distributed table, no exchange of peers. It knows those that it is told of, and
/// those that come. It never believes a peer: each piece has a hash, in a torrent file that a publisher's signature covers.
///
/// Thread-safe. What happens is taken in by ``update()``; everything else reads what that saw last. Methods that may wait
/// for the session's thread say so.
package final class Swarm: Sendable {
    /// One of the session's torrents, until it is removed.
    package struct Torrent: Sendable, Hashable {
        fileprivate let number: UInt32
    }

    // The functions behind it may be called from any thread.
    private nonisolated(unsafe) let session: OpaquePointer

    /// Begins to listen.
    ///
    /// - Throws: if libtorrent cannot begin at all. An address or a port that cannot be had only shows in ``port``.
    package init(_ options: SwarmOptions) throws(SwarmError) {
        let listen = options.addresses.map { Endpoint(address: $0, port: options.port).description }
            .joined(separator: ",")
        var reason = vk_swarm_reason()
        let session = listen.withCString { listen in
            var raw = vk_swarm_options(
                listen: listen, upload_limit: Int32(clamping: options.limits.uploadBytesPerSecond),
                download_limit: Int32(clamping: options.limits.downloadBytesPerSecond),
                connections_max: Int32(clamping: options.limits.connectionsMax),
                torrent_connections_max: Int32(clamping: options.limits.torrentConnectionsMax))
            return vk_swarm_create(&raw, &reason)
        }
        guard let session else { throw SwarmError("BitTorrent cannot begin: \(reason.message)") }
        self.session = session
    }

    /// Ends everything. Blocks for some milliseconds, at times for seconds.
    deinit { vk_swarm_destroy(session) }

    /// The port on which it listens; `nil` if it does not. May wait for the session's thread.
    package var port: UInt16? {
        let port = UInt16(clamping: vk_swarm_port(session))
        return port == 0 ? nil : port
    }

    /// Changes the rates; how many connections there may be stays.
    package func setLimits(_ limits: SwarmLimits) {
        vk_swarm_set_limits(
            session, Int32(clamping: limits.uploadBytesPerSecond), Int32(clamping: limits.downloadBytesPerSecond))
    }

    /// How much of a torrent's files is there already.
    package enum Presence: Sendable, Hashable {
        /// All; they are only handed on, and nothing is ever written to them.
        case complete
        /// Whatever is right of what stands there: it is looked at first, and the rest fetched.
        case unknown
    }

    /// Takes part in a torrent. May wait for the session's thread.
    ///
    /// - Parameters:
    ///   - file: a torrent file.
    ///   - directory: where the torrent's own directory is, or is to be.
    ///   - unwanted: by their place in the torrent, the files that are neither fetched nor handed on.
    package func add(
        _ file: [UInt8], in directory: String, _ presence: Presence, unwanted: [Bool] = []
    ) throws(SwarmError) -> Torrent {
        var reason = vk_swarm_reason()
        let number = directory.withCString { directory in
            file.withUnsafeBufferPointer { file in
                unwanted.withUnsafeBufferPointer { unwanted in
                    guard let bytes = file.baseAddress else { return UInt32(0) }
                    var raw = vk_swarm_torrent(
                        bytes: bytes, count: file.count, directory: directory, is_complete: presence == .complete,
                        unwanted: unwanted.isEmpty ? nil : unwanted.baseAddress, unwanted_count: unwanted.count)
                    return vk_swarm_add(session, &raw, &reason)
                }
            }
        }
        guard number != 0 else { throw SwarmError("the torrent cannot be used: \(reason.message)") }
        return Torrent(number: number)
    }

    /// Leaves a torrent; its files stay.
    package func remove(_ torrent: Torrent) { vk_swarm_remove(session, torrent.number) }

    /// Tells it of peers. Those that it knows already do no harm.
    package func connect(_ torrent: Torrent, to peers: some Sequence<Endpoint>) {
        for peer in peers {
            // A torrent that was removed meanwhile needs no peers.
            _ = vk_swarm_connect(session, torrent.number, peer.address.description, peer.port, nil)
        }
    }

    /// Of pieces that are equally rare, fetches those first whose place is in this part of the torrent, 0 its begin and 1 its
    /// end; a part that ends behind 1 goes on at the begin. May wait for the session's thread.
    package func prefer(_ part: Range<Double>, of torrent: Torrent) {
        vk_swarm_prefer(session, torrent.number, part.lowerBound, part.upperBound)
    }

    /// Looks anew at what is here of a torrent, and goes on from there; its connections begin anew as well.
    package func recheck(_ torrent: Torrent) { vk_swarm_recheck(session, torrent.number) }

    /// Takes in what has happened, and has the session tell what is new until the next time.
    package func update() { vk_swarm_update(session) }

    /// What became of a torrent, as of the last ``update()``; `nil` if it was removed.
    package func progress(of torrent: Torrent) -> SwarmProgress? {
        var status = vk_swarm_status()
        return vk_swarm_get_status(session, torrent.number, &status) ? SwarmProgress(status) : nil
    }

    /// What was counted until the last ``update()``.
    package var counters: SwarmCounters {
        let raw = vk_swarm_get_counters(session)
        var counters = SwarmCounters()
        counters.wrongPieces = raw.wrong_pieces
        counters.bannedPeers = raw.banned_peers
        return counters
    }
}

extension vk_swarm_reason {
    fileprivate var message: String {
        withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
