internal import VersionKitModel

/// The releases that a node has, on disk.
///
///     layers/<hex>                              archives, named by their content
///     layers/<hex>.chunks                       lists of the chunks of compressed ones, named by theirs
///     manifests/<application>/<version>/        manifest.json, manifest.sig and release.torrent, as the
///                                               publisher made them
///     swarm/<hex>/layers/<hex>                  layers that are being fetched from several nodes, by their torrent file
///     unpacked/<hex>/                           the files of a layer, unpacked once, under every environment
///     unpacked/<hex>-image/                     those of a layer of an image
///     incoming/                                 whatever is not finished
///     boot                                      since when what is unpacked counts
///
/// Things are written in `incoming` and moved to their name when they are whole, verified and on the disk. So what has
/// a name is good, and what a crash left in `incoming` is removed when the store is next opened with no other user.
/// A store may be open in several processes at once.
///
/// What is unpacked is but another form of a layer, and nobody waits until the disk has it: after the machine was started
/// anew it is unpacked anew.
///
/// - Important: Except for ``unpack(_:runner:)``'s wait for `tar`, methods read and write files on the calling thread.
public final class ReleaseStore: Sendable {
    /// The directory of the store.
    public let root: String
    /// The bounds of what is kept.
    public let limits: ReleaseLimits
    /// Held, shared, as long as the store is open: whoever gets it alone knows that nobody is writing in `incoming`.
    private let presence: StoreLock

    /// Opens a store, making its directories if need be and sweeping what a crash left behind.
    public convenience init(root: String, limits: ReleaseLimits = .standard) throws(ReleaseError) {
        try self.init(root: root, limits: limits, boot: Disk.boot)
    }

    /// - Parameter boot: what the machine calls the time since its start.
    package init(root: String, limits: ReleaseLimits = .standard, boot: String) throws(ReleaseError) {
        // Readable by its owner alone: layers may hold set-user-ID programs of releases long superseded, which no
        // other user of the host should be able to start.
        try Disk.makeDirectory(root, mode: 0o700)
        let real = try Disk.realPath(root)
        for name in ["layers", "manifests", "swarm", "unpacked", "incoming"] {
            try Disk.makeDirectory("\(real)/\(name)")
        }
        self.root = real
        self.limits = limits
        presence = try StoreLock("\(real)/.presence")
        if try presence.tryExclusive() {
            try Self.empty(incoming)
        }
        try presence.shared()
        try withChanges { () throws(ReleaseError) in try forgetEarlierBoots(boot) }
    }

    /// Whoever opens a store comes by here first, so in a new boot nothing of an earlier one is in use.
    private func forgetEarlierBoots(_ boot: String) throws(ReleaseError) {
        let path = "\(root)/boot"
        // Where nothing says of which boot what is unpacked is, it was on the disk before it got its name.
        if try Disk.kind(of: path) != nil {
            if try Disk.readFile(path, bytesMax: Disk.bootBytesMax) == Array(boot.utf8) { return }
            try Self.empty("\(root)/unpacked")
        }
        try Disk.writeAtomically(Array(boot.utf8), to: path, by: incoming)
    }

    private static func empty(_ directory: String) throws(ReleaseError) {
        for name in try Disk.names(in: directory) { try Disk.removeTree("\(directory)/\(name)") }
    }

    var incoming: String { "\(root)/incoming" }

    func layerPath(_ digest: Digest) -> String { "\(root)/layers/\(digest.hex)" }

    func chunksPath(_ digest: Digest) -> String { layerPath(digest) + Self.chunksSuffix }

    static let chunksSuffix = ".chunks"

    func unpackedPath(_ layer: ReleaseManifest.Layer) -> String {
        layer.isImage ? unpackedImagePath(layer.digest) : unpackedPath(layer.digest)
    }

    func unpackedPath(_ digest: Digest) -> String { "\(root)/unpacked/\(digest.hex)" }

    /// The same archive is other files where its names can take something away.
    func unpackedImagePath(_ digest: Digest) -> String { unpackedPath(digest) + Self.imageSuffix }

    static let imageSuffix = "-image"

    func manifestDirectory(_ application: ApplicationID, _ version: Version) -> String {
        "\(root)/manifests/\(application)/\(version)"
    }

    /// Runs a change of what the store holds with no other such change beside it, in any process.
    func withChanges<Result>(_ body: () throws(ReleaseError) -> Result) throws(ReleaseError) -> Result {
        let lock = try StoreLock("\(root)/.changes")
        try lock.exclusive()
        // The lock lives until the body has returned.
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }
}
