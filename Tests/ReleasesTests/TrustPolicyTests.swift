import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

@Suite("TrustPolicy")
struct TrustPolicyTests {
    private func signed(_ bench: Workbench, version: Version = 2) throws -> (manifest: [UInt8], signature: [UInt8]) {
        let digest = try #require(Digest(hex: String(repeating: "ab", count: 32)))
        let manifest = bench.manifest(version: version, layers: [.init(digest: digest, size: 10)]).canonicalBytes()
        return (manifest, try ReleaseSigner.sign(manifest, with: bench.key))
    }

    private func refusal(
        _ trust: TrustPolicy, _ manifest: [UInt8], _ signature: [UInt8], _ location: SourceLocation = #_sourceLocation
    ) async -> ReleaseError? {
        await failure({ _ = try trust.verify(manifestBytes: manifest, signatureBytes: signature) }, location)
    }

    @Test("what a pinned publisher signed is accepted, and reads as it was written")
    func accepted() throws {
        let bench = try Workbench()
        let release = try signed(bench)
        let manifest = try bench.trust.verify(manifestBytes: release.manifest, signatureBytes: release.signature)
        #expect(manifest.version == 2)
        #expect(manifest.canonicalBytes() == release.manifest)
    }

    @Test("a flipped bit anywhere in the manifest makes the signature wrong")
    func flippedManifest() async throws {
        let bench = try Workbench()
        let release = try signed(bench)
        for index in release.manifest.indices {
            var manifest = release.manifest
            manifest[index] ^= 1
            #expect(await refusal(bench.trust, manifest, release.signature)?.code == .badSignature)
        }
    }

    @Test("a signature of something else is refused")
    func wrongSignature() async throws {
        let bench = try Workbench()
        let release = try signed(bench)
        let other = try signed(bench, version: 3)
        let error = try #require(await refusal(bench.trust, release.manifest, other.signature))
        #expect(error.code == .badSignature)
        #expect(error.isRetrySafe)
    }

    @Test("the signature of a key that is not pinned is refused, and both keys are named")
    func unknownKey() async throws {
        let bench = try Workbench()
        let stranger = PublisherKey.generate()
        let manifest = try signed(bench).manifest
        let error = try #require(
            await refusal(bench.trust, manifest, try ReleaseSigner.sign(manifest, with: stranger)))
        #expect(error.code == .unknownKey)
        #expect(error.side == .publisher)
        #expect(error.message.contains(stranger.publicKey.keyID))
        #expect(error.message.contains(bench.key.publicKey.keyID))
        let nobody = TrustPolicy(application: bench.application, keys: [])
        #expect(await refusal(nobody, manifest, try signed(bench).signature)?.code == .unknownKey)
    }

    @Test("claiming a pinned key's name does not help a stranger")
    func claimedKeyID() async throws {
        let bench = try Workbench()
        let stranger = PublisherKey.generate()
        let manifest = try signed(bench).manifest
        let text = String(decoding: try ReleaseSigner.sign(manifest, with: stranger), as: UTF8.self)
        let forged = text.replacingOccurrences(of: stranger.publicKey.keyID, with: bench.key.publicKey.keyID)
        #expect(await refusal(bench.trust, manifest, Array(forged.utf8))?.code == .badSignature)
    }

    @Test("a release of another application is refused by name")
    func otherApplication() async throws {
        let bench = try Workbench()
        let cfs = try #require(ApplicationID(rawValue: "cfs"))
        let trust = TrustPolicy(application: cfs, keys: [bench.key.publicKey])
        let release = try signed(bench)
        let error = try #require(await refusal(trust, release.manifest, release.signature))
        #expect(error.code == .otherApplication)
        #expect(error.message == "this is a release of irislog, not of cfs")
    }

    @Test("what is too large is refused before it is looked at")
    func oversized() async throws {
        let bench = try Workbench()
        let release = try signed(bench)
        let large = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
        #expect(await refusal(bench.trust, large, release.signature)?.code == .limitExceeded)
        #expect(await refusal(bench.trust, release.manifest, large)?.code == .limitExceeded)
        let many = "[" + Array(repeating: #"{"keyID":"a","signature":"b"}"#, count: 17).joined(separator: ",") + "]"
        #expect(await refusal(bench.trust, release.manifest, Array(many.utf8))?.code == .malformed)
        #expect(await refusal(bench.trust, release.manifest, Array("[]".utf8))?.code == .malformed)
    }

    @Test("a manifest that is signed but unsound is refused with the field")
    func unsound() async throws {
        let bench = try Workbench()
        let unsound = bench.manifest().canonicalBytes()
        let error = try #require(
            await refusal(bench.trust, unsound, try ReleaseSigner.sign(unsound, with: bench.key)))
        #expect(error.code == .malformed)
        #expect(error.message.contains("layers"))
        let text = Array("hello".utf8)
        let noJSON = await refusal(bench.trust, text, try ReleaseSigner.sign(text, with: bench.key))
        #expect(noJSON?.code == .malformed)
    }

    @Test("an advertised release must be newer; the operator may ask for any")
    func acceptance() async throws {
        let bench = try Workbench()
        let trust = bench.trust
        let now = UTCTime(seconds: 1_800_000_000)
        try trust.acceptance(of: bench.manifest(version: 3), current: 2, requested: .advertised, at: now)
        try trust.acceptance(of: bench.manifest(version: 1), current: nil, requested: .advertised, at: now)
        try trust.acceptance(of: bench.manifest(version: 1), current: 2, requested: .operator, at: now)
        let older = try #require(
            await failure {
                try trust.acceptance(of: bench.manifest(version: 1), current: 2, requested: .advertised, at: now)
            })
        #expect(older.code == .olderVersion)
        #expect(older.description.contains("older than what this node runs (2): use versionctl rollback"))
        let same = await failure {
            try trust.acceptance(of: bench.manifest(version: 2), current: 2, requested: .advertised, at: now)
        }
        #expect(same?.code == .sameVersion)
        var expiring = bench.manifest(version: 3)
        expiring.expires = now + 1
        try trust.acceptance(of: expiring, current: 2, requested: .advertised, at: now)
        expiring.expires = now
        for request in [ReleaseRequest.advertised, .operator] {
            let late = await failure {
                try trust.acceptance(of: expiring, current: nil, requested: request, at: now)
            }
            #expect(late?.code == .expired)
        }
    }

    @Test("no damage to a manifest or a signature makes the reader crash", arguments: 1...20)
    func mutations(seed: UInt64) throws {
        let bench = try Workbench()
        let release = try signed(bench)
        var generator = SeededGenerator(state: seed)
        for _ in 0..<200 {
            var bytes = release.manifest
            for _ in 0..<Int.random(in: 1...6, using: &generator) { mutate(&bytes, &generator) }
            do throws(ReleaseError) {
                let manifest = try ReleaseManifest(jsonBytes: bytes)
                // What passes is sound, and what is sound can be written and read again.
                #expect(try ReleaseManifest(jsonBytes: manifest.canonicalBytes()) == manifest)
            } catch {
                #expect(!error.message.isEmpty)
            }
            var signature = release.signature
            mutate(&signature, &generator)
            _ = try? bench.trust.verify(manifestBytes: release.manifest, signatureBytes: signature)
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[index] = .random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(Array("[]{}\",:-0e9.".utf8).randomElement(using: &generator) ?? 0, at: index)
        case 3: bytes.removeSubrange(index..<min(bytes.count, index + 9))
        default: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 20)], at: index)
        }
        if bytes.isEmpty { bytes = [0] }
    }

    @Test("deeply nested JSON is refused, not followed down")
    func nesting() async {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 500_000)
        #expect(await failure { _ = try ReleaseManifest(jsonBytes: bytes) }?.code == .malformed)
        let description = await failure {
            _ = try ReleaseDescription(jsonBytes: bytes, file: "release.json", directory: ".")
        }
        #expect(description?.code == .badDescription)
    }
}
