import Foundation
import Testing
import VersionKitModel
import VersionKitReleases
import VersionKitSwarm
import VersionKitUpgrade

/// The layers of a made-up release in a directory of its own, and their torrent file.
final class Share {
    let root: String
    let layers: [ReleaseManifest.Layer]
    let torrent: [UInt8]

    /// - Parameter sizes: the bytes of each layer; the contents differ with the seed.
    init(_ sizes: [Int], seed: UInt64 = 1) throws {
        root = NSTemporaryDirectory() + "share-\(UUID().uuidString)"
        let layersDirectory = root + "/seed/layers"
        try FileManager.default.createDirectory(atPath: layersDirectory, withIntermediateDirectories: true)
        var random = Xorshift(state: seed)
        layers = try sizes.enumerated().map { index, size in
            let words = (0..<(size + 7) / 8).map { _ in random.next() }
            let data = words.withUnsafeBytes { Data($0.prefix(size)) }
            // What a digest is does not matter here, only that they differ.
            let digest = try #require(Digest(bytes: (0..<32).map { $0 == 0 ? UInt8(index) : UInt8(seed & 0xff) }))
            try data.write(to: URL(filePath: "\(layersDirectory)/\(digest.hex)"))
            return ReleaseManifest.Layer(digest: digest, size: UInt64(size))
        }
        torrent = try ReleaseTorrent(layers).make { "\(layersDirectory)/\($0.digest.hex)" }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// A directory beside that of the seed.
    func directory(_ name: String) -> String { "\(root)/\(name)" }

    func path(_ name: String, _ layer: Int) -> String { "\(root)/\(name)/layers/\(layers[layer].digest.hex)" }

    func bytes(_ name: String, _ layer: Int) throws -> Data {
        try Data(contentsOf: URL(filePath: path(name, layer)))
    }

    /// Whether somebody's layers are the seed's.
    func isComplete(_ name: String) throws -> Bool {
        try layers.indices.allSatisfy { try bytes(name, $0) == bytes("seed", $0) }
    }

    /// Changes a byte in somebody's copy.
    func damage(_ name: String, _ layer: Int, at offset: Int) throws {
        var data = try bytes(name, layer)
        data[offset] ^= 1
        try data.write(to: URL(filePath: path(name, layer)))
    }

    /// A copy of the seed's directory under another name.
    func copy(to name: String) throws {
        try FileManager.default.copyItem(atPath: directory("seed"), toPath: directory(name))
    }
}

/// Random numbers that are the same each time.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// A session on this machine's loopback, with a share.
struct Member {
    let session: Swarm
    let torrent: Swarm.Torrent
    let endpoint: Endpoint

    init(
        _ share: Share, _ name: String, _ presence: Swarm.Presence = .unknown, limits: SwarmLimits = SwarmLimits(),
        unwanted: [Bool] = []
    ) throws {
        session = try Swarm(
            SwarmOptions(addresses: [IPAddress.Family.v4.loopback], port: 0, limits: limits))
        torrent = try session.add(share.torrent, in: share.directory(name), presence, unwanted: unwanted)
        endpoint = Endpoint(address: IPAddress.Family.v4.loopback, port: try #require(session.port))
    }

    /// What became of it, as of now.
    var progress: SwarmProgress {
        session.update()
        return session.progress(of: torrent) ?? SwarmProgress()
    }

    /// Fetches the rest of it as a node does, with the same patience.
    func fetch() async throws {
        let began = ContinuousClock.now
        var patience = DownloadPatience(at: .zero)
        try await wait(for: "copy") { progress in
            let now = ContinuousClock.now - began
            if !progress.isChecked { patience.rest(at: now) }
            let right = progress.downloaded - min(progress.failed, progress.downloaded)
            let step = patience.step(bytes: right, wrong: progress.failed, peers: progress.peers, at: now)
            if step == .lookAgain { session.recheck(torrent) }
            return progress.isFinished
        }
    }

    /// Waits until something is so.
    @discardableResult
    func wait(for what: String, _ isSo: (SwarmProgress) -> Bool) async throws -> SwarmProgress {
        let deadline = ContinuousClock.now + .seconds(60)
        var last = progress
        while !isSo(last) {
            try #require(ContinuousClock.now < deadline, "no \(what): \(last)")
            try await Task.sleep(for: .milliseconds(10))
            last = progress
        }
        return last
    }
}
