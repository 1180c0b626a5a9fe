import VersionKitReleases

/// What whoever asks a node by TCP has to show: the contents of a file that only its owner can read.
struct ControlToken: Sendable {
    /// The fewest bytes of a token: less could be guessed.
    static let bytesMin = 32
    /// The most bytes of a token's file.
    static let fileBytesMax = 4096

    private let bytes: [UInt8]

    /// The token with these bytes, or `nil` if they are fewer than ``bytesMin``.
    init?(bytes: [UInt8]) {
        guard bytes.count >= Self.bytesMin else { return nil }
        self.bytes = bytes
    }

    /// Reads a token's file. White space at its end does not count.
    ///
    /// - Throws: ``NodeError`` if it is too short or cannot be in a header, ``ReleaseError`` if there is no such file, or
    ///   others than its owner can read it.
    init(contentsOf path: String) throws {
        guard try Disk.mode(of: path) & 0o077 == 0 else {
            throw NodeError(
                "\(path) can be read or written by others: chmod 600 \(path), and write another token into it")
        }
        var bytes = try Disk.readFile(path, bytesMax: Self.fileBytesMax)
        while let last = bytes.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) { bytes.removeLast() }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw NodeError("\(path) has a space, or what is no letter: a token is one word")
        }
        guard let token = ControlToken(bytes: bytes) else {
            throw NodeError("\(path) has \(bytes.count) bytes; a token has at least \(Self.bytesMin)")
        }
        self = token
    }

    /// Whether the value of a header `Authorization` shows the token. Takes the same time wherever the first difference is.
    func isShown(by header: String?) -> Bool {
        let prefix = "Bearer "
        guard let header, header.hasPrefix(prefix) else { return false }
        let shown = Array(header.utf8.dropFirst(prefix.utf8.count))
        // How long it is may be found out: all that matters is in the bytes.
        var difference: UInt8 = shown.count == bytes.count ? 0 : 1
        for (index, byte) in bytes.enumerated() { difference |= byte ^ (index < shown.count ? shown[index] : 0) }
        return difference == 0
    }
}
