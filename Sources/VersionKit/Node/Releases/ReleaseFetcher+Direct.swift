import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases

/// Layers from the node that advertised the release. Of a compressed one only those chunks travel that are in no layer here.
extension ReleaseFetcher {
    private static let pieceBytes = 256 << 10
    /// The most bytes of one request for a part of a layer.
    private static let runBytesMax: UInt64 = 4 << 20
    /// Requests that are sent ahead, so that many small parts do not each wait for an answer.
    private static let requestsAheadMax = 16

    /// Fetches what is missing of a layer from one router.
    ///
    /// - Parameter came: hears how many bytes came, each time that some did.
    func fetchLayer(
        _ layer: ReleaseManifest.Layer, _ connection: inout BlockingConnection, came: (UInt64) -> Void
    ) throws {
        guard layer.chunks != nil else { return try fetchWhole(layer, &connection, came: came) }
        let chunks = try fetchChunks(of: layer, &connection)
        guard try !store.hasLayer(layer.digest) else { return }
        var receiver = try store.receive(layer, chunks: chunks)
        let runs = ChunkRun.runs(of: receiver.missing, bytesMax: Self.runBytesMax)
        let deadline = connection.deadline(in: pace.limit(receiver.missingBytes))
        var asked = 0
        for (index, run) in runs.enumerated() {
            while asked < min(runs.count, index + Self.requestsAheadMax) {
                try connection.send(Array("\(Self.request(runs[asked], of: layer))\n".utf8))
                asked += 1
            }
            let request = Self.request(run, of: layer)
            guard try connection.answer(to: request) == [run.length] else {
                throw NodeError("the router answered '\(request)' with another number of bytes")
            }
            for chunk in run.chunks { try receiver.append(connection.exactly(chunk.length, by: deadline)) }
            came(run.length)
        }
        try receiver.finish()
    }

    private static func request(_ run: ChunkRun, of layer: ReleaseManifest.Layer) -> String {
        "layer \(layer.digest) \(run.offset) \(run.length)"
    }

    /// The list of a compressed layer's chunks.
    func fetchChunks(
        of layer: ReleaseManifest.Layer, _ connection: inout BlockingConnection
    ) throws -> ChunkList {
        if let chunks = try store.chunks(of: layer) { return chunks }
        guard let digest = layer.chunks, let size = try connection.ask("chunks \(digest)").first,
            size <= UInt64(ChunkList.bytesMax(layer))
        else { throw NodeError("the router's list of the chunks of layer \(layer.digest) is longer than is possible") }
        return try store.addChunks(connection.exactly(Int(size)), of: layer)
    }

    private func fetchWhole(
        _ layer: ReleaseManifest.Layer, _ connection: inout BlockingConnection, came: (UInt64) -> Void
    ) throws {
        let sizes = try connection.ask("layer \(layer.digest)")
        guard sizes == [layer.size] else {
            throw ReleaseError(
                .wrongSize, "layer \(layer.digest) should have \(layer.size) bytes; the peer offers \(sizes)",
                side: .peer, isRetrySafe: true)
        }
        var receiver = try store.receive(layer)
        let deadline = connection.deadline(in: pace.limit(layer.size))
        while receiver.receivedBytes < layer.size {
            let left = layer.size - receiver.receivedBytes
            let piece = min(left, UInt64(Self.pieceBytes))
            try receiver.append(connection.exactly(Int(piece), by: deadline))
            came(piece)
        }
        try receiver.finish()
    }
}

extension BlockingConnection {
    /// Sends a request; the numbers behind `ok` in the answer.
    mutating func ask(_ request: String) throws -> [UInt64] {
        try send(Array("\(request)\n".utf8))
        return try answer(to: request)
    }

    /// The numbers behind `ok` in the answer.
    fileprivate mutating func answer(to request: String) throws -> [UInt64] {
        try words(of: request).compactMap { UInt64($0) }
    }

    /// The words behind `ok` in the answer.
    ///
    /// - Throws: ``RouterBusy`` if the conversation ended before it began.
    mutating func words(of request: String) throws -> [Substring] {
        let isFirst = !hasHeard
        let next: String?
        do {
            next = try line()
        } catch let error as SystemError where error.code == ECONNRESET && isFirst {
            throw RouterBusy()
        }
        guard let next else {
            throw isFirst ? RouterBusy() : NodeError("the router did not answer '\(request)'") as any Error
        }
        let words = next.split(separator: " ")
        guard words.first == "ok" else { throw NodeError("the router answered '\(request)' with: \(next)") }
        return Array(words.dropFirst())
    }
}

/// A router ended a conversation without a word: it has too many at one time, or is about to end.
struct RouterBusy: Error, CustomStringConvertible {
    let description = "the router ended the conversation without a word; it may have too many at one time"
}
