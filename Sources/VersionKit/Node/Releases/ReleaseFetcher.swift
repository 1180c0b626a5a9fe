import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitWire

/// Fetches a release from the node that advertised it, over a connection between the two routers, and lets into the
/// store only what the signature and the digests vouch for.
///
/// - Note: R14, R15 (Download).
struct ReleaseFetcher: Sendable {
    let store: ReleaseStore
    let trust: TrustPolicy

    private static let pieceBytes = 256 << 10

    /// Fetches what is missing of a release.
    ///
    /// - Returns: The verified manifest.
    /// - Throws: ``ReleaseError`` for what the peer sent; other errors for the way there.
    func fetch(_ version: Version, from router: Endpoint) async throws -> ReleaseManifest {
        try await tryOnThread("release-fetch") { try fetchBlocking(version, from: router) }
    }

    private func fetchBlocking(_ version: Version, from router: Endpoint) throws -> ReleaseManifest {
        var connection = try BlockingConnection(to: router)
        let header = VersionHeader(application: trust.application, sender: nil, flags: .control)
        try connection.send(Array(header.encoded().readableBytesView))
        let manifest = try fetchManifest(version, &connection)
        for layer in try store.missingLayers(of: manifest) { try fetchLayer(layer, &connection) }
        return manifest
    }

    private func fetchManifest(_ version: Version, _ connection: inout BlockingConnection) throws -> ReleaseManifest {
        let sizes = try ask("manifest \(version)", &connection)
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

    private func fetchLayer(_ layer: ReleaseManifest.Layer, _ connection: inout BlockingConnection) throws {
        let sizes = try ask("layer \(layer.digest)", &connection)
        guard sizes == [layer.size] else {
            throw ReleaseError(
                .wrongSize, "layer \(layer.digest) should have \(layer.size) bytes; the peer offers \(sizes)",
                side: .peer, isRetrySafe: true)
        }
        var receiver = try store.receive(layer)
        while receiver.receivedBytes < layer.size {
            let left = layer.size - receiver.receivedBytes
            let piece = try connection.bytes(Int(min(left, UInt64(Self.pieceBytes))))
            guard !piece.isEmpty else { throw NodeError("the router ended the conversation within a layer") }
            try receiver.append(piece)
        }
        try receiver.finish()
    }

    /// Sends a request; the numbers behind `ok` in the answer.
    private func ask(_ request: String, _ connection: inout BlockingConnection) throws -> [UInt64] {
        try connection.send(Array("\(request)\n".utf8))
        guard let line = try connection.line() else { throw NodeError("the router did not answer '\(request)'") }
        let words = line.split(separator: " ")
        guard words.first == "ok" else { throw NodeError("the router answered '\(request)' with: \(line)") }
        return words.dropFirst().compactMap { UInt64($0) }
    }
}
