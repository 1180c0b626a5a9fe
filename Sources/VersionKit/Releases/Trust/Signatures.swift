internal import VersionKitModel

/// One signature of some bytes, and the short name of the key that is said to have made it.
struct Signature: Codable, Equatable, Sendable {
    var keyID: String
    var signature: String
}

/// A number of publishers' keys, of which so many have to sign.
struct SignerSet: Sendable, Equatable {
    var keys: [PublisherPublicKey]
    var threshold: Int

    /// Whose signatures these are: each key counts once, however often it signed.
    func signers(of message: [UInt8], _ signatures: [Signature]) -> Set<PublisherPublicKey> {
        var signers: Set<PublisherPublicKey> = []
        for candidate in signatures {
            for key in keys where key.keyID == candidate.keyID && !signers.contains(key) {
                guard let signature = Base64.decode(candidate.signature) else { continue }
                if key.isValid(signature: signature, of: message) { signers.insert(key) }
            }
        }
        return signers
    }

    /// - Parameters:
    ///   - what: what was signed, for people: `manifest`.
    ///   - whose: whose keys these are: `the publishers of irislog`.
    /// - Throws: ``ReleaseError`` if too few of the keys signed.
    func check(
        _ message: [UInt8], _ signatures: [Signature], what: String, whose: String
    ) throws(ReleaseError) {
        let signers = signers(of: message, signatures)
        guard signers.count < threshold else { return }
        let named = Set(keys.map(\.keyID))
        let valid = Set(signers.map(\.keyID))
        if let wrong = signatures.first(where: { named.contains($0.keyID) && !valid.contains($0.keyID) }) {
            throw ReleaseError(
                .badSignature, "the signature by key \(wrong.keyID) does not belong to this \(what)", side: .peer,
                isRetrySafe: true, remedy: "fetch it from another node, or have it signed again")
        }
        if signers.isEmpty {
            let found = signatures.map { String($0.keyID.prefix(16)) }.joined(separator: ", ")
            let known = keys.isEmpty ? "none" : keys.map(\.keyID).joined(separator: ", ")
            throw ReleaseError(
                .unknownKey,
                "the \(what) is signed by \(found.isEmpty ? "nobody" : found), but \(whose) known here are: \(known)",
                side: .publisher, remedy: "pin the publisher's key on this node if you trust it")
        }
        throw ReleaseError(
            .thresholdNotReached,
            "the \(what) is signed by \(signers.count) of \(whose), but \(threshold) have to", side: .publisher,
            remedy: "have it signed by \(threshold - signers.count) more")
    }
}

extension [Signature] {
    /// Adds a signature, in the place of an earlier one by the same key.
    mutating func add(_ message: [UInt8], by key: PublisherKey) throws(ReleaseError) {
        let signature = Signature(
            keyID: key.publicKey.keyID, signature: Base64.encode(try key.signature(of: message)))
        removeAll { $0.keyID == signature.keyID }
        append(signature)
        guard count <= ReleaseLimits.standard.signaturesMax else {
            throw ReleaseError(
                .limitExceeded, "there are \(count - 1) signatures already", side: .publisher,
                remedy: "remove those of keys that do not count any more")
        }
    }
}
