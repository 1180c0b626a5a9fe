internal import VersionKitModel

/// The JSON files of an image in OCI layout, as far as they are used (OCI image specification 1.1).
enum ImageLayout {
    struct Version: Decodable {
        var imageLayoutVersion: String
    }

    /// An index or, in the same shape, what tells one from a manifest.
    struct Index: Decodable {
        var manifests: [Descriptor]
    }

    struct Manifest: Decodable {
        var config: Descriptor
        var layers: [Descriptor]
    }

    struct Configuration: Decodable {
        var config: Settings?
        var rootfs: RootFileSystem

        struct Settings: Decodable {
            var Entrypoint: [String]?
            var Cmd: [String]?
            var Env: [String]?
            var User: String?
            var WorkingDir: String?
        }

        struct RootFileSystem: Decodable {
            /// Of the layers' archives, before they were compressed.
            var diff_ids: [Digest]
        }
    }

    struct Descriptor: Decodable {
        var mediaType: String
        var digest: Digest
        var size: UInt64
        var platform: Platform?
    }

    struct Platform: Decodable {
        var architecture: String
        var os: String
    }

    /// How a layer's archive is packed.
    enum Packing: Equatable { case plain, gzip, zstd }

    /// This machine's name in images.
    static let architecture: String = {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }()

    /// What an index has for this machine: the first that is for it, or that does not say what it is for.
    static func choose(_ descriptors: [Descriptor]) -> Descriptor? {
        descriptors.first { descriptor in
            guard let platform = descriptor.platform else { return true }
            return platform.os == "linux" && platform.architecture == architecture
        }
    }

    static func isIndex(_ mediaType: String) -> Bool {
        ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"]
            .contains(mediaType)
    }

    static func packing(_ mediaType: String) -> Packing? {
        switch mediaType {
        case "application/vnd.oci.image.layer.v1.tar": .plain
        case "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip": .gzip
        case "application/vnd.oci.image.layer.v1.tar+zstd": .zstd
        default: nil
        }
    }
}
