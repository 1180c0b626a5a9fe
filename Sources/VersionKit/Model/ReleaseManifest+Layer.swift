extension ReleaseManifest {
    /// One archive of files, named by its content.
    public struct Layer: Codable, Sendable, Equatable {
        /// The media type of an uncompressed tar archive.
        public static let tar = "application/vnd.versionkit.layer.v1.tar"
        /// The media type of one that is compressed, in frames of zstd.
        public static let zstd = "application/vnd.versionkit.layer.v1.tar+zstd"
        /// The media type of one out of an image, in which names that begin with `.wh.` take away what is below.
        public static let image = "application/vnd.oci.image.layer.v1.tar"
        /// The media type of one out of an image that is compressed, in frames of zstd.
        public static let imageZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
        /// All that are known.
        public static let mediaTypes = [tar, zstd, image, imageZstd]

        /// The SHA-256 of the file.
        public var digest: Digest
        /// The size of the file in bytes.
        public var size: UInt64
        /// What kind of archive it is.
        public var mediaType: String
        /// The bytes of the archive that the file unpacks to, if it is compressed.
        public var unpackedSize: UInt64?
        /// The SHA-256 of the list of the file's chunks, by which a node fetches only what it does not have; only if it is
        /// compressed.
        public var chunks: Digest?

        /// The Debian package that it was made of.
        public var package: Package?

        /// A Debian package, as it names itself.
        public struct Package: Codable, Sendable, Equatable {
            /// Its name.
            public var name: String
            /// Its version.
            public var version: String

            /// A package with this name and version.
            public init(name: String, version: String) {
                self.name = name
                self.version = version
            }
        }

        /// A layer with this content.
        public init(
            digest: Digest, size: UInt64, mediaType: String = Layer.tar, unpackedSize: UInt64? = nil,
            chunks: Digest? = nil, package: Package? = nil
        ) {
            self.digest = digest
            self.size = size
            self.mediaType = mediaType
            self.unpackedSize = unpackedSize
            self.chunks = chunks
            self.package = package
        }

        /// Whether the archive is compressed.
        public var isCompressed: Bool { [Self.zstd, Self.imageZstd].contains(mediaType) }

        /// Whether it is out of an image: then it may take away what is below.
        public var isImage: Bool { [Self.image, Self.imageZstd].contains(mediaType) }

        /// The bytes of the archive itself.
        public var archiveSize: UInt64 { unpackedSize ?? size }
    }
}
