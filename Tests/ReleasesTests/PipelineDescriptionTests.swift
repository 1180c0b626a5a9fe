import Testing
import VersionKitModel
import VersionKitReleases

@Suite("What a description says of an upgrade")
struct PipelineDescriptionTests {
    private func manifest(_ members: String, health: String = #"{ "port": 80 }"#) throws -> ReleaseManifest {
        let text = """
            {
                "application": "a", "version": 2, "ports": { "client": [80] }, "files": "root", "start": ["/a"],
                "dataPath": "/data", "health": \(health)\(members.isEmpty ? "" : ", " + members)
            }
            """
        var manifest = try ReleaseDescription(jsonBytes: Array(text.utf8), file: "release.json", directory: "/")
            .manifest
        manifest.layers = [.init(digest: try #require(Digest(hex: String(repeating: "ab", count: 32))), size: 1)]
        manifest.format = manifest.formatNeeded
        return manifest
    }

    @Test("older nodes refuse what they would not understand, and read the rest as before")
    func formats() throws {
        #expect(try manifest("").format == 1)
        for members in [
            #""method": "package""#, #""needs": { "diskBytes": 1 }"#, #""migration": { "recordsPerSecond": 5 }"#,
            #""limits": { "tasks": 9 }"#,
        ] {
            let manifest = try manifest(members)
            #expect(manifest.format == 3)
            try manifest.validate()
        }
        for health in [
            #"{ "kind": "http", "port": 80, "path": "/health", "status": 204 }"#,
            #"{ "kind": "command", "command": ["/bin/check", "now"] }"#, #"{ "port": 80, "steady": {} }"#,
        ] {
            let manifest = try manifest("", health: health)
            #expect(manifest.format == 3)
            try manifest.validate()
        }
    }

    @Test("health, method, needs, limits and rate are read")
    func values() throws {
        let members = """
            "method": "checkpoint", "needs": { "diskBytes": 7, "memoryBytes": 8 },
            "migration": { "recordsPerSecond": 5, "bytesPerSecond": 6 },
            "limits": { "memoryBytes": 10, "processors": 1.5, "tasks": 20, "diskBytes": 30 }
            """
        let health =
            #"{ "kind": "http", "port": 80, "path": "/h", "steady": { "failures": 4, "intervalMilliseconds": 9 } }"#
        let manifest = try manifest(members, health: health)
        #expect(manifest.method == .checkpoint)
        #expect(manifest.needs == .init(diskBytes: 7, memoryBytes: 8))
        #expect(manifest.limits == .init(memoryBytes: 10, processors: 1.5, tasks: 20, diskBytes: 30))
        #expect(manifest.migration == MigrationRate(recordsPerSecond: 5, bytesPerSecond: 6))
        #expect(manifest.healthCheck.kind == .http)
        #expect(manifest.healthCheck.path == "/h")
        #expect(manifest.healthCheck.steady == .init(intervalMilliseconds: 9, failures: 4))
    }

    @Test(
        "what makes no sense is refused by its name",
        arguments: [
            (#""method": "rolling""#, #"{ "port": 80 }"#, "method"),
            ("", #"{ "kind": "http", "port": 80 }"#, "healthCheck.path"),
            ("", #"{ "kind": "http", "port": 80, "path": "/a b" }"#, "healthCheck.path"),
            ("", #"{ "kind": "command" }"#, "healthCheck.command"),
            (#""limits": { "processors": 0 }"#, #"{ "port": 80 }"#, "limits.processors"),
            (#""limits": { "processors": 5000 }"#, #"{ "port": 80 }"#, "limits.processors"),
            (
                #""needs": { "memoryBytes": 9 }, "limits": { "memoryBytes": 8 }"#, #"{ "port": 80 }"#,
                "limits.memoryBytes"
            ),
            ("", #"{ "kind": "icmp", "port": 80 }"#, "healthCheck.kind"),
        ])
    func refused(_ members: String, _ health: String, _ field: String) throws {
        let manifest = try manifest(members, health: health)
        do throws(ManifestError) {
            try manifest.validate()
            Issue.record("\(field) was accepted")
        } catch {
            #expect(error.field == field)
        }
    }

    @Test("a package that takes nothing over is refused")
    func emptyPackage() throws {
        var manifest = try manifest(#""method": "package""#)
        manifest.dataPath = nil
        #expect(throws: ManifestError.self) { try manifest.validate() }
    }
}
