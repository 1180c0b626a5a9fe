internal import Crypto
package import VersionKitModel

/// The SHA-1 of each piece of one layer, whose bytes come in whatever portions.
///
/// SHA-1, because that is what BitTorrent's older format has; a layer is believed only when its SHA-256 is right as well.
struct PieceHasher {
    private let pieceBytes: Int
    private var hash = Insecure.SHA1()
    private var filled = 0
    private(set) var hashes: [UInt8] = []

    init(pieceBytes: UInt64) { self.pieceBytes = Int(pieceBytes) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(pieceBytes - filled)
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: part))
            filled += part.count
            rest = rest.dropFirst(part.count)
            if filled == pieceBytes { finishPiece() }
        }
    }

    /// The hashes, that of a last shorter piece included.
    ///
    /// - Parameter pads: whether zeros make the last one as long as the others.
    mutating func finish(pads: Bool) -> [UInt8] {
        guard filled > 0 else { return hashes }
        if pads { hash.update(data: [UInt8](repeating: 0, count: pieceBytes - filled)) }
        finishPiece()
        return hashes
    }

    private mutating func finishPiece() {
        hashes += Array(hash.finalize())
        hash = Insecure.SHA1()
        filled = 0
    }
}

extension ReleaseTorrent {
    /// Reads the layers and makes the file.
    ///
    /// - Parameter path: where a layer is.
    package func make(path: (ReleaseManifest.Layer) -> String) throws(ReleaseError) -> [UInt8] {
        var hashes: [UInt8] = []
        for (index, layer) in layers.enumerated() {
            var hasher = PieceHasher(pieceBytes: pieceBytes)
            try OpenFile.reading(path(layer)).forEachChunk { (chunk) throws(ReleaseError) in
                hasher.update(chunk)
            }
            hashes += hasher.finish(pads: index < layers.count - 1)
        }
        return file(hashes: hashes)
    }
}
