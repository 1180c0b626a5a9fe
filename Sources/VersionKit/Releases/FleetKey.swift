internal import Crypto
public import VersionKitModel

/// The secret that the nodes of one fleet share: what proves that a message of one router to another is genuine.
///
/// HMAC-SHA256 (RFC 2104) with a file's bytes as the key. Every node of the fleet has the same file; whoever has it can
/// speak for any node, about which versions serve, but can have no release run that its publisher did not sign.
public struct FleetKey: Sendable {
    /// The fewest bytes of a key.
    public static let bytesMin = 32
    /// The most bytes of a key's file.
    public static let fileBytesMax = 4096
    /// The bytes of a code.
    public static let codeBytes = 32

    /// Keeps codes of this use apart from any other use of the same key.
    private static let purpose = "VersionKit fleet message 1\n"

    private let key: SymmetricKey
    /// What is in front of every text: fleets of other names do not understand each other, even with the same key.
    private let prefix: String

    /// The key with these bytes, or `nil` if they are fewer than ``bytesMin``.
    ///
    /// - Parameter fleet: the fleet's name, if it has one.
    public init?(bytes: [UInt8], fleet: NodeID? = nil) {
        guard bytes.count >= Self.bytesMin else { return nil }
        key = SymmetricKey(data: bytes)
        prefix = Self.purpose + (fleet.map { "fleet \($0)\n" } ?? "")
    }

    /// A text's code, ``codeBytes`` long.
    public func code(of text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array((prefix + text).utf8), using: key))
    }

    /// Whether this is the text's code. Takes the same time wherever the first difference is.
    public func isValid(_ code: [UInt8], of text: String) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array((prefix + text).utf8), using: key)
    }
}

extension FleetKey {
    /// Reads a key's file. White space at its end does not count, so that editors and shells may add some.
    ///
    /// - Throws: ``ReleaseError`` if there is no such file, others than its owner can read or write it, or it is too
    ///   short or too long.
    public init(contentsOf path: String, fleet: NodeID? = nil) throws(ReleaseError) {
        let mode = try Disk.mode(of: path)
        guard mode & 0o077 == 0 else {
            throw ReleaseError(
                .badKey, "\(path) can be read or written by others", side: .node,
                remedy: "chmod 600 \(path), and make a new key for the fleet if others had access")
        }
        var bytes = try Disk.readFile(path, bytesMax: Self.fileBytesMax)
        while let last = bytes.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) { bytes.removeLast() }
        guard let key = FleetKey(bytes: bytes, fleet: fleet) else {
            throw ReleaseError(
                .badKey, "\(path) has \(bytes.count) bytes; a fleet's key has at least \(Self.bytesMin)", side: .node,
                remedy: "make one with versionctl fleet-key")
        }
        self = key
    }

    /// Makes a key of 32 random bytes, as 64 hexadecimal digits in a new file that only its owner can read.
    ///
    /// - Throws: ``ReleaseError`` if a file stands there already: overwriting a key would lose it.
    public static func make(at path: String) throws(ReleaseError) {
        guard try Disk.kind(of: path) == nil else {
            throw ReleaseError(
                .conflict, "\(path) exists already", side: .node,
                remedy: "choose another file; a key that is overwritten is lost")
        }
        let digits = Array("0123456789abcdef".utf8)
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        let bytes: [UInt8] = secret.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] } + [0x0A]
        let file = try OpenFile.creating(path, mode: 0o600)
        do throws(ReleaseError) {
            try bytes.span.bytes.withUnsafeBytes { (raw) throws(ReleaseError) in try file.writeAll(raw) }
            try file.flush()
        } catch {
            Disk.removeFile(path)
            throw error
        }
    }
}
