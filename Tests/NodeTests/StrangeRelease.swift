import FoundationEssentials
import IrisLogFleet
import Testing
import VersionKitModel
import VersionKitReleases

/// Something wrong with a release that a peer advertises.
enum StrangeRelease: String, CaseIterable {
    case unknownKey, alteredManifest, otherApplication, expired, tamperedLayer, climbsOut, device, bomb

    /// Part of what the node says of it.
    var reason: String {
        switch self {
        case .unknownKey: "signed by"
        case .alteredManifest: "does not belong to this manifest"
        case .otherApplication: "this is a release of other, not of irislog"
        case .expired: "was not to be begun with"
        case .tamperedLayer: "what came is"
        case .climbsOut: "leads upwards"
        case .device: "it holds a device"
        case .bomb: "unpacks to more than"
        }
    }

    /// Whether the manifest says enough: then nothing else is asked for.
    var isSeenInManifest: Bool {
        switch self {
        case .unknownKey, .alteredManifest, .otherApplication, .expired: true
        case .tamperedLayer, .climbsOut, .device, .bomb: false
        }
    }

    /// Version 2 of IrisLog with this wrong, as a router gives it.
    func offer(_ releases: TestReleases) throws -> StrangeRouter.Offer {
        var manifest = try ReleaseManifest(jsonBytes: ReleaseDirectory(releases.version2).manifestBytes)
        let key = try PublisherKey(contentsOf: TestReleases.directory + "/publisher.key")
        let layer = layer
        manifest.layers = [layer.named]
        manifest.swarm = nil
        switch self {
        case .otherApplication: manifest.application = try #require(ApplicationID(rawValue: "other"))
        case .expired: manifest.expires = UTCTime(seconds: 1_000_000_000)
        default: break
        }
        manifest.format = manifest.formatNeeded
        var bytes = manifest.canonicalBytes()
        let signature = try ReleaseSigner.sign(bytes, with: self == .unknownKey ? PublisherKey.generate() : key)
        // A digit of the version's name, say, that the publisher did not write.
        if self == .alteredManifest, let place = bytes.firstIndex(of: UInt8(ascii: "2")) { bytes[place] ^= 1 }
        return StrangeRouter.Offer(
            manifest: bytes, signature: signature, layers: [layer.named.digest.hex: layer.sent])
    }

    /// A layer as the manifest names it, and what is sent for it.
    private var layer: (named: ReleaseManifest.Layer, sent: [UInt8]) {
        var archive = TarBuilder()
        switch self {
        case .climbsOut: archive.add("../../../../../../run/climbed", content: [1])
        case .device: archive.add("dev/sda", kind: "4")
        case .bomb: return (Self.layer(Self.zeros, unpackedSize: 10_240), Self.zeros)
        default: archive.add("opt/irislog/file", content: [1, 2, 3])
        }
        var sent = archive.finished
        let named = Self.layer(sent)
        if self == .tamperedLayer { sent[512] ^= 1 }
        return (named, sent)
    }

    private static func layer(_ bytes: [UInt8], unpackedSize: UInt64? = nil) -> ReleaseManifest.Layer {
        ReleaseManifest.Layer(
            digest: ContentHasher.digest(of: bytes), size: UInt64(bytes.count),
            mediaType: unpackedSize == nil ? ReleaseManifest.Layer.tar : ReleaseManifest.Layer.zstd,
            unpackedSize: unpackedSize)
    }

    /// 128 MiB of zeros as four kilobytes of zstd: a frame header, and blocks each of which repeats one byte.
    private static let zeros: [UInt8] = {
        let blocks = 1024
        let blockBytes = 128 << 10
        var bytes: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]
        for number in 1...blocks {
            let header = blockBytes << 3 | 1 << 1 | (number == blocks ? 1 : 0)
            bytes += [UInt8(header & 0xff), UInt8(header >> 8 & 0xff), UInt8(header >> 16), 0]
        }
        return bytes
    }()
}
