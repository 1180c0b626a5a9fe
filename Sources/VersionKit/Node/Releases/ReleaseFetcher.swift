import NIOCore
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitRouter
import VersionKitUpgrade
import VersionKitWire

/// Fetches a release: what is small over a connection to the router of the node that advertised it, the layers from many
/// nodes at once if there is a torrent file, or over that connection too. Lets into the store only what the signature and
/// the digests vouch for.
///
/// - Note: R14, R15 (Download).
struct ReleaseFetcher: Sendable {
    let store: ReleaseStore
    let trust: TrustPolicy
    /// `nil`: everything comes from the node that advertised it.
    var swarm: NodeSwarm?
    var pace = TransferPace()
    /// What is received counts.
    var limits = TransferLimits()

    /// How often a router is tried that has no time at the moment, and the longest pause.
    private static let triesMax = 20
    private static let pauseMilliseconds = 50...400

    /// Fetches what is missing of a release.
    ///
    /// - Returns: The verified manifest.
    /// - Throws: ``ReleaseError`` for what the peer sent; other errors for the way there.
    func fetch(_ version: Version, from router: Endpoint) async throws -> ReleaseManifest {
        let manifest = try await whenFree { try fetchSmall(version, from: router) }
        let release = NodeSwarm.Release(manifest.application, manifest.version)
        defer { swarm?.note(nil, of: release) }
        if try await fetchFromMany(manifest, router) { return manifest }
        try await whenFree {
            var connection = try connect(to: router)
            let missing = try store.missingLayers(of: manifest)
            var status = DownloadStatus(way: .direct, bytes: 0, bytesWanted: missing.reduce(0) { $0 + $1.size })
            for layer in missing {
                try fetchLayer(layer, &connection) { count in
                    status.bytes += count
                    swarm?.note(status, of: release)
                }
            }
        }
        // What came of it by other ways is in the store now.
        if let digest = manifest.swarm { try store.removeDownload(by: digest) }
        swarm?.completed(release)
        return manifest
    }

    /// Fetches the manifest alone, and keeps it.
    func fetchManifest(_ version: Version, from router: Endpoint) async throws -> ReleaseManifest {
        try await whenFree {
            var connection = try connect(to: router)
            return try fetchManifest(version, &connection)
        }
    }

    /// Fetches the layers by BitTorrent, if that is possible and worth it. False: they are still missing.
    private func fetchFromMany(_ manifest: ReleaseManifest, _ router: Endpoint) async throws -> Bool {
        let missing = try store.missingLayers(of: manifest)
        guard let swarm, ReleaseTorrent.isWorthwhile(missing), let file = try store.torrent(of: manifest) else {
            return missing.isEmpty
        }
        let download = SwarmDownload(
            swarm: swarm, store: store, manifest: manifest, missing: missing, torrentFile: file,
            policy: DownloadPatience.Policy()
        ) { port, isStuck in
            try askForPeers(PeersRequest(manifest.version, port: port, isStuck: isStuck), router)
        }
        do {
            return try await download.run()
        } catch {
            if Task.isCancelled { throw error }
            swarm.noteFallback(of: .init(manifest.application, manifest.version), because: "\(error)")
            return false
        }
    }

    /// Does something on a thread of its own, again while the router has no time: that is when it closes the connection
    /// without a word.
    private func whenFree<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        for _ in 1..<Self.triesMax {
            do {
                return try await tryOnThread("release-fetch", body)
            } catch is RouterBusy {
                try await Task.sleep(for: .milliseconds(Int.random(in: Self.pauseMilliseconds)))
            }
        }
        return try await tryOnThread("release-fetch", body)
    }

    private func connect(to router: Endpoint) throws -> BlockingConnection {
        let connection = try BlockingConnection(to: router, limits: TransferLimits(download: limits.download))
        let header = VersionHeader(application: trust.application, sender: nil, flags: .control)
        try connection.send(Array(header.encoded().readableBytesView))
        return connection
    }

    /// The manifest, and for a swarm the torrent file and the lists of the chunks.
    private func fetchSmall(_ version: Version, from router: Endpoint) throws -> ReleaseManifest {
        var connection = try connect(to: router)
        let manifest = try fetchManifest(version, &connection)
        guard swarm != nil, manifest.swarm != nil else { return manifest }
        for layer in try store.missingLayers(of: manifest) where layer.chunks != nil {
            _ = try fetchChunks(of: layer, &connection)
        }
        guard try store.torrent(of: manifest) == nil else { return manifest }
        guard let sizes = try? connection.ask("torrent \(version)") else { return manifest }
        guard sizes.count == 1, sizes[0] <= UInt64(store.limits.torrentBytesMax) else {
            throw NodeError("the advertising router's torrent file is longer than is allowed")
        }
        try store.add(torrent: connection.exactly(Int(sizes[0])), of: manifest)
        return manifest
    }

    private func askForPeers(_ request: PeersRequest, _ router: Endpoint) throws -> [Endpoint] {
        var connection = try connect(to: router)
        try connection.send(Array("\(request.line)\n".utf8))
        return try connection.words(of: request.line).prefix(Introducer.answerMax).compactMap { Endpoint(String($0)) }
            .filter { $0.port > 0 && $0.address.isUnicast }
    }

    private func fetchManifest(_ version: Version, _ connection: inout BlockingConnection) throws -> ReleaseManifest {
        let sizes = try connection.ask("manifest \(version)")
        guard sizes.count == 2, sizes[0] <= UInt64(trust.limits.manifestBytesMax),
            sizes[1] <= UInt64(trust.limits.signatureBytesMax)
        else { throw NodeError("the advertising router's manifest is longer than is allowed") }
        let manifestBytes = try connection.exactly(Int(sizes[0]))
        let signatureBytes = try connection.exactly(Int(sizes[1]))
        let manifest = try trust.verify(manifestBytes: manifestBytes, signatureBytes: signatureBytes)
        guard manifest.version == version else {
            throw ReleaseError(
                .conflict, "version \(version) was asked for, and version \(manifest.version) came", side: .peer)
        }
        return try store.add(manifestBytes: manifestBytes, signatureBytes: signatureBytes, trust: trust)
    }
}
