import Foundation
import Testing
import VersionKitModel

@testable import VersionKitReleases

/// Goal: a release is what its publisher signed, or nothing. Method: every byte of a small one is changed, and it is cut off
/// everywhere.
@Suite("Tampered releases")
struct TamperedReleaseTests {
    private let bench: Workbench
    private let manifest: [UInt8]
    private let signature: [UInt8]

    init() async throws {
        bench = try Workbench()
        try await bench.makeRelease()
        manifest = try bench.read("out/manifest.json")
        signature = try bench.read("out/manifest.sig")
    }

    private func verdict(_ manifest: [UInt8], _ signature: [UInt8]) -> ReleaseError? {
        do throws(ReleaseError) {
            _ = try bench.trust.verify(manifestBytes: manifest, signatureBytes: signature)
            return nil
        } catch {
            return error
        }
    }

    @Test("no byte of a manifest can change", arguments: [0x01, 0xa0] as [UInt8])
    func manifestBytes(_ change: UInt8) {
        #expect(verdict(manifest, signature) == nil)
        for index in manifest.indices {
            var bytes = manifest
            bytes[index] ^= change
            #expect(verdict(bytes, signature)?.code == .badSignature)
        }
    }

    @Test("no byte of a signature can change", arguments: [0x01, 0xa0] as [UInt8])
    func signatureBytes(_ change: UInt8) {
        for index in signature.indices {
            var bytes = signature
            bytes[index] ^= change
            let error = verdict(manifest, bytes)
            #expect([.badSignature, .malformed, .unknownKey].contains(error?.code), "\(index)")
        }
    }

    @Test("neither may be cut off anywhere, or go on")
    func truncated() {
        for count in manifest.indices { #expect(verdict(Array(manifest[..<count]), signature) != nil) }
        for count in signature.indices { #expect(verdict(manifest, Array(signature[..<count])) != nil) }
        #expect(verdict(manifest + [0x20], signature)?.code == .badSignature)
        #expect(verdict(manifest, signature + signature)?.code == .malformed)
    }

    @Test(
        "a publisher who signs rubbish is told so, whatever it is, and nothing that is read is otherwise than it is written"
    )
    func signedRubbish() throws {
        for index in manifest.indices {
            var bytes = manifest
            bytes[index] ^= 0x04
            let error = verdict(bytes, try ReleaseSigner.sign(bytes, with: bench.key))
            #expect(
                [nil, .malformed, .otherApplication].contains(error?.code), "\(index): \(String(describing: error))")
        }
    }

    @Test("a layer or a list of chunks that was tampered with is not imported")
    func files() async throws {
        for name in try bench.names("out/layers") {
            // A store that has the right layer already would not look at another.
            let store = try ReleaseStore(root: bench.path("store-\(name)"))
            let path = "out/layers/\(name)"
            let good = try bench.read(path)
            for index in stride(from: 0, to: good.count, by: max(1, good.count / 12)) {
                var bytes = good
                bytes[index] ^= 0x10
                try bench.write(bytes, to: path)
                let error = await failure { try store.importRelease(from: bench.path("out"), trust: bench.trust) }
                #expect(error?.code == .wrongDigest)
                let verified = await failure {
                    try ReleaseFolder(bench.path("out")).verify(bench.trust, at: .init(seconds: 0))
                }
                #expect(verified?.code == .wrongDigest)
            }
            try bench.write(good, to: path)
            #expect(try store.releases().releases.isEmpty)
        }
        try ReleaseFolder(bench.path("out")).verify(bench.trust, at: .init(seconds: 0))
    }
}
