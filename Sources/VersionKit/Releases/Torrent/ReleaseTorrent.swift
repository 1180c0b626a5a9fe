package import VersionKitModel

/// The torrent file of a release: its layers, in the manifest's order, in the directory `layers`.
///
/// It is a function of the layers alone, byte for byte: so what it may say is known before it comes, but for the hashes of
/// the pieces. It says "private": nobody's client looks for further peers. Each layer begins with a piece of its own (BEP
/// 47), so that a node that has one layer already never writes to it.
package struct ReleaseTorrent: Sendable, Equatable {
    /// The directory of the files.
    package static let directory = "layers"
    /// Pieces, unless they would be longer than ``pieceBytesMax``: with few, a node waits long for its first one; with many,
    /// this file gets long.
    static let piecesWanted: UInt64 = 1024
    /// The shortest pieces, in bytes: one block of the protocol.
    static let pieceBytesMin: UInt64 = 16 << 10
    /// The longest.
    static let pieceBytesMax: UInt64 = 4 << 20
    /// Bytes of the SHA-1 of a piece.
    static let hashBytes = 20

    /// Releases with fewer bytes have no torrent, and downloads that lack fewer do without: before BitTorrent has begun,
    /// they are over.
    package static let worthwhileBytes: UInt64 = 256 << 10

    let layers: [ReleaseManifest.Layer]

    /// Whether these layers are worth a swarm.
    package static func isWorthwhile(_ layers: [ReleaseManifest.Layer]) -> Bool {
        layers.reduce(0) { $0 + $1.size } >= worthwhileBytes
    }

    package init(_ layers: [ReleaseManifest.Layer]) { self.layers = layers }

    /// Bytes of a piece: a power of two.
    package var pieceBytes: UInt64 {
        let total = layers.reduce(0) { $0 + $1.size }
        var bytes = Self.pieceBytesMin
        while bytes < Self.pieceBytesMax, total > bytes * Self.piecesWanted { bytes *= 2 }
        return bytes
    }

    /// How many pieces there are.
    package var pieceCount: Int { layers.reduce(0) { $0 + Int(($1.size + pieceBytes - 1) / pieceBytes) } }

    /// Whether a file says just what it must for these layers, with whatever hashes.
    package func isSound(_ file: [UInt8]) -> Bool {
        let (head, tail) = frame
        return file.count == head.count + pieceCount * Self.hashBytes + tail.count && file.starts(with: head)
            && file.suffix(tail.count) == tail[...]
    }

    /// The file with these hashes, all of them one behind the other.
    func file(hashes: [UInt8]) -> [UInt8] {
        let (head, tail) = frame
        return head + hashes + tail
    }

    /// What stands in front of the hashes, and behind.
    private var frame: (head: [UInt8], tail: [UInt8]) {
        var files: [Bencode] = []
        for (index, layer) in layers.enumerated() {
            files.append(.dictionary([("length", .integer(layer.size)), ("path", .list([.text(layer.digest.hex)]))]))
            let padding = (pieceBytes - layer.size % pieceBytes) % pieceBytes
            guard padding > 0, index < layers.count - 1 else { continue }
            files.append(
                .dictionary([
                    ("attr", .text("p")), ("length", .integer(padding)),
                    ("path", .list([.text(".pad"), .text("\(padding)")])),
                ]))
        }
        let info: [(String, Bencode)] = [
            ("files", .list(files)), ("name", .text(Self.directory)), ("piece length", .integer(pieceBytes)),
        ]
        // Keys are in the order of their bytes; "pieces" comes next to last.
        let head = Bencode.dictionary([("info", .dictionary(info))]).bytes.dropLast(2)
        return (
            Array(head) + Bencode.text("pieces").bytes + Array("\(pieceCount * Self.hashBytes):".utf8),
            Bencode.text("private").bytes + Bencode.integer(1).bytes + Array("ee".utf8)
        )
    }

    /// Which places in the torrent are not wanted, padding included, if only these layers are.
    package func unwanted(except wanted: Set<Digest>) -> [Bool] {
        var unwanted: [Bool] = []
        for (index, layer) in layers.enumerated() {
            unwanted.append(!wanted.contains(layer.digest))
            if layer.size % pieceBytes != 0, index < layers.count - 1 {
                unwanted.append(!wanted.contains(layer.digest))
            }
        }
        return unwanted
    }
}

/// The few things that BitTorrent's encoding has. Who makes a dictionary sees to the order of its keys.
enum Bencode {
    case integer(UInt64)
    case text(String)
    case list([Bencode])
    case dictionary([(String, Bencode)])

    var bytes: [UInt8] {
        switch self {
        case .integer(let number): Array("i\(number)e".utf8)
        case .text(let text): Array("\(text.utf8.count):\(text)".utf8)
        case .list(let members): Array("l".utf8) + members.flatMap(\.bytes) + Array("e".utf8)
        case .dictionary(let members):
            Array("d".utf8) + members.flatMap { Bencode.text($0.0).bytes + $0.1.bytes } + Array("e".utf8)
        }
    }
}
