import Testing
import VersionKitModel

@Suite("Digest")
struct DigestTests {
    private let hex = String(repeating: "0a", count: 32)

    @Test("a digest is written with its algorithm, and reads back")
    func roundTrip() throws {
        let digest = try #require(Digest("sha256:" + hex))
        #expect(digest.hex == hex)
        #expect(Digest(digest.description) == digest)
        #expect(Digest(bytes: [UInt8](repeating: 10, count: 32)) == digest)
    }

    @Test(
        "what is not exactly 64 lower-case hexadecimal digits is no digest",
        arguments: ["", "sha256:", "sha256:0a", "md5:", "SHA256:", "sha256:../../etc/passwd"])
    func refused(_ text: String) {
        #expect(Digest(text) == nil)
        #expect(Digest(text + String(repeating: "0A", count: 32)) == nil)
        #expect(Digest("sha256:" + hex + "0") == nil)
        #expect(Digest(hex) == nil)
        #expect(Digest(bytes: [1, 2, 3]) == nil)
    }
}
