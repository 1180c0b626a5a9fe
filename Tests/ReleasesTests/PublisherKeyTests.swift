import Foundation
import Testing
import VersionKitReleases

@Suite("PublisherKey")
struct PublisherKeyTests {
    @Test("a key written to a file reads back, and only its owner can read it")
    func file() throws {
        let bench = try Workbench()
        let path = bench.path("publisher.key")
        try bench.key.write(to: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try PublisherKey(contentsOf: path).publicKey == bench.key.publicKey)
    }

    @Test("a key file is never overwritten")
    func overwriting() async throws {
        let bench = try Workbench()
        try bench.key.write(to: bench.path("k"))
        #expect(await failure { try bench.key.write(to: bench.path("k")) }?.code == .conflict)
    }

    @Test("a key file that others can read, or that holds no key, is refused")
    func badFile() async throws {
        let bench = try Workbench()
        try bench.key.write(to: bench.path("k"))
        chmod(bench.path("k"), 0o644)
        let open = try #require(await failure { _ = try PublisherKey(contentsOf: bench.path("k")) })
        #expect(open.code == .badKey)
        #expect(open.remedy?.contains("chmod 600") == true)
        try bench.write("hello", to: "no-key")
        chmod(bench.path("no-key"), 0o600)
        #expect(await failure { _ = try PublisherKey(contentsOf: bench.path("no-key")) }?.code == .badKey)
        #expect(await failure { _ = try PublisherKey(contentsOf: bench.path("none")) }?.code == .notFound)
    }

    @Test("a public key is one line of text")
    func publicText() throws {
        let key = PublisherKey.generate().publicKey
        #expect(key.description.hasPrefix("ed25519:"))
        #expect(PublisherPublicKey(key.description) == key)
        #expect(key.keyID.count == 16)
        for text in ["", "ed25519:", "ed25519:AAAA", "rsa:" + key.description.dropFirst(8), key.description + "A"] {
            #expect(PublisherPublicKey(text) == nil)
        }
    }
}
