import Foundation
import Testing
import VersionKitProcesses

@Suite("The table of Redis commands")
struct RedisCommandTableTests {
    /// What a program wrote: the server's version, and its commands, one a line.
    private struct Table {
        let version: Substring
        let commands: [Substring: Substring]

        init(_ text: String) throws {
            let lines = text.split(separator: "\n")
            version = try #require(
                lines.first { $0.contains("redis-server ") }?.split(separator: "redis-server ").last?.prefix {
                    $0 != ":"
                })
            let listed = lines.drop { !$0.hasSuffix("\"\"\"") }.dropFirst().prefix { !$0.contains("\"\"\"") }
            commands = Dictionary(
                uniqueKeysWithValues: listed.map { $0.drop { $0 == " " } }.map {
                    ($0.prefix { $0 != " " }, $0)
                }
            )
        }
    }

    @Test("it says what the server that is installed here says; a newer one knows all its commands at least")
    func sameAsServer() async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let kept = try Table(
            String(
                contentsOf: root.appendingPathComponent("Sources/Adapters/Redis/CommandTable.swift"), encoding: .utf8))
        let result = try await Command.run(root.appendingPathComponent("scripts/redis-commands").path, [])
        try #require(result.exit.isSuccess, "\(result.output)")
        let made = try Table(result.output)
        #expect(kept.commands.count > 300)
        if made.version == kept.version {
            #expect(made.commands == kept.commands)
        } else {
            #expect(Set(kept.commands.keys).subtracting(made.commands.keys).isEmpty)
        }
    }
}
