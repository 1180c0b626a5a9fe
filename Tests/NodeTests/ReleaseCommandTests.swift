import ExampleFleet
import Foundation
import Testing
import VersionKitProcesses

@Suite("versionctl release")
struct ReleaseCommandTests {
    private let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "release-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root + "/files", withIntermediateDirectories: true)
    }

    private func release(_ arguments: String...) async throws -> Command.Result {
        try await Command.run(try Programs.directory() + "/versionctl", ["release"] + arguments)
    }

    private func make(_ version: Int) async throws -> Command.Result {
        try "version \(version)".write(toFile: root + "/files/app", atomically: true, encoding: .utf8)
        let description = """
            {"application": "app", "version": \(version), "ports": {"peer": [7000]}, "files": "files", "start": "/app",
             "health": {"port": 7000}}
            """
        try description.write(toFile: root + "/release.json", atomically: true, encoding: .utf8)
        return try await release(
            "make", root + "/release.json", "--key", root + "/publisher.key", "--output", root + "/app-\(version)")
    }

    @Test("a publisher makes, looks at, compares and checks releases, and exit codes say what is wrong")
    func lifeOfARelease() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let key = try await release("keys", "--output", root + "/publisher.key").output.split(separator: "\n").first
        let publicKey = try #require(key.map(String.init))
        let shown = try await release("keys", "show", root + "/publisher.key").output
        #expect(shown.hasPrefix(publicKey + "  "))
        #expect(try await release("keys", "list", root).output == shown.dropLast() + "  publisher.key\n")
        #expect(try await release("keys", "show", publicKey).output == shown)
        for version in [1, 2] { #expect(try await make(version).exit == .code(0)) }

        let table = try await release("inspect", root + "/app-2")
        #expect(table.exit == .code(0) && table.output.hasPrefix("app 2 (2), format 3\n"))
        #expect(table.output.contains(shown.split(separator: " ").last ?? "-"))
        let json = try await release("inspect", "--json", "--files", root + "/app-2").output
        #expect(json.contains(#""path":"app","size":9"#))
        #expect(try await release("inspect", root).exit == .code(1))

        let difference = try await release("diff", root + "/app-1", root + "/app-2")
        #expect(difference.output.hasPrefix("* app  9 -> 9\n0 added, 0 removed, 1 changed\n"))
        #expect(
            try await release("diff", "--json", root + "/app-1", root + "/app-1").output.contains(#""bytesToFetch":0"#))

        #expect(try await release("verify", root + "/app-2", "--key", publicKey).exit == .code(0))
        #expect(try await release("verify", root + "/app-2").exit == .code(64))
        #expect(try await release("verify", root + "/app-2", "--key", "rubbish").exit == .code(64))
        let layer = try #require(
            FileManager.default.contentsOfDirectory(atPath: root + "/app-2/layers").first { $0.hasSuffix(".zst") })
        let path = "\(root)/app-2/layers/\(layer)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let damaged = try await release("verify", root + "/app-2", "--key", publicKey)
        #expect(damaged.exit == .code(1) && damaged.output.contains("does not hold what the manifest says"))
    }
}
