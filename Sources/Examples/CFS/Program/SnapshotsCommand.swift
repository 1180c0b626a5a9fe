import ArgumentParser
import CFSFiles

/// Lists snapshots.
struct SnapshotsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots",
        abstract: "Lists the earlier publications that a file system keeps, the latest first.",
        discussion: """
            Each is a directory below `/.snapshots`. Every command that reads takes `--at`, which chooses the latest one that \
            is not later.

            EXAMPLES:
              cfs snapshots NAME
              cfs cat NAME --at 2026-11-22T19:00:00Z /docs/README.md
            """)

    @OptionGroup var files: FileSystemArguments
    @Flag(help: "Print the result for machines.") var json = false

    private struct Report: Encodable {
        var date: String
        var version: UInt32
        var root: String
    }

    func run() async throws {
        let snapshots = try await files.withFiles { files, _ in try await files.snapshots() }
        if json {
            return try Output.json(snapshots.map { Report(date: $0.date, version: $0.version, root: "\($0.root)") })
        }
        for snapshot in snapshots { print(snapshot.date) }
    }
}
