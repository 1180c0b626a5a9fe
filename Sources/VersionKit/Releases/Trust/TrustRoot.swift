public import VersionKitModel

/// Whose word counts for an application: so many of these keys together speak for it.
///
/// They sign releases, channels, and the next root, by which keys come and go. That one is also signed by enough of its own
/// keys, so that a key which nobody has cannot get in by mistake.
///
/// - Note: docs/trust.md; what The Update Framework calls root and targets.
public struct TrustRoot: TrustDocument {
    public static let title = "root"
    public static let bytesMax = 16 << 10
    /// The most keys.
    public static let keysMax = 16
    /// The highest number: a node keeps every root from the pinned one on, for those that pinned an older one.
    public static let numberMax: UInt64 = 1000

    public private(set) var format = 1
    public var application: ApplicationID
    /// 1 for the first; each next one's is greater by one.
    public var number: UInt64
    public var expires: UTCTime
    /// How many of the keys have to sign.
    public var threshold: Int
    /// The keys, each once.
    public var keys: [PublisherPublicKey]

    /// A root; nothing is checked before it is written.
    public init(
        application: ApplicationID, number: UInt64, expires: UTCTime, threshold: Int, keys: [PublisherPublicKey]
    ) {
        self.application = application
        self.number = number
        self.expires = expires
        self.threshold = threshold
        self.keys = keys
    }

    public func validate() throws(ReleaseError) {
        guard format == 1 else { throw Self.wrong("is of format \(format), and only 1 is known here") }
        guard (1...Self.numberMax).contains(number) else {
            throw Self.wrong("has the number \(number), not 1 to \(Self.numberMax)")
        }
        guard (1...Self.keysMax).contains(keys.count), Set(keys).count == keys.count else {
            throw Self.wrong("has \(keys.count) keys, not 1 to \(Self.keysMax) that differ")
        }
        guard (1...keys.count).contains(threshold) else {
            throw Self.wrong("asks for \(threshold) of \(keys.count) keys")
        }
    }

    var signers: SignerSet { SignerSet(keys: keys, threshold: threshold) }

    private static func wrong(_ problem: String) -> ReleaseError {
        ReleaseError(.malformed, "the \(title) \(problem)", side: .publisher, remedy: "make another")
    }
}

extension PublisherPublicKey: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let key = PublisherPublicKey(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a key is written as ed25519:<base64>")
        }
        self = key
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
