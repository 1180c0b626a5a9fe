import Testing
import VersionKitModel
import VersionKitReleases

/// Publishers with their keys, who sign what a test wants signed.
struct Publishers {
    static let now = UTCTime(seconds: 1_800_000_000)

    let application: ApplicationID
    let keys = (0..<4).map { _ in PublisherKey.generate() }

    init() throws { application = try #require(ApplicationID(rawValue: "irislog")) }

    /// A root of keys 0, 1 and 2, two of which have to sign, signed by the keys of these indices.
    func root(
        _ number: UInt64 = 1, of application: String = "irislog", keys indices: [Int] = [0, 1, 2], threshold: Int = 2,
        expires: UTCTime = now + 1000, signedBy signers: [Int] = [0, 1]
    ) throws -> SignedDocument<TrustRoot> {
        var document = try SignedDocument(
            TrustRoot(
                application: try #require(ApplicationID(rawValue: application)), number: number, expires: expires,
                threshold: threshold, keys: indices.map { keys[$0].publicKey }))
        for signer in signers { try document.sign(with: keys[signer]) }
        return document
    }

    /// A channel that offers versions 1 to 3, without those that are withdrawn.
    func channel(
        _ number: UInt64, of application: String = "irislog", expires: UTCTime = now + 100,
        withdrawn: Set<Version> = [], signedBy signers: [Int] = [0, 1]
    ) throws -> SignedDocument<ReleaseChannel> {
        var channel = ReleaseChannel(
            application: try #require(ApplicationID(rawValue: application)), number: number, expires: expires)
        for version in 1...3 as ClosedRange<UInt32> {
            let version = try #require(Version(version))
            try channel.offer(version, manifest: digest(version))
            if withdrawn.contains(version) { try channel.withdraw(version, reason: "loses writes") }
        }
        var document = try SignedDocument(channel)
        for signer in signers { try document.sign(with: keys[signer]) }
        return document
    }

    func digest(_ version: Version) throws -> Digest {
        try #require(Digest(bytes: [UInt8](repeating: UInt8(version.number), count: 32)))
    }

    /// What a node knows that has root 1 pinned and this channel.
    func state(_ channel: SignedDocument<ReleaseChannel>? = nil) throws -> TrustState {
        try TrustState(pinned: root(), channel: channel)
    }
}

/// The code of the error that a piece of work ends with.
func code(_ body: () throws(ReleaseError) -> Void) -> ReleaseError.Code? {
    do throws(ReleaseError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}
