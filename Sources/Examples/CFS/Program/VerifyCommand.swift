import ArgumentParser
import CFSClient
import CFSFiles

/// Verifies a file system.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Fetches and verifies everything from the signed root to the last byte.",
        discussion: """
            Snapshots are verified with it, each block once.

            EXAMPLE:
              cfs verify NAME --json
            """)

    @OptionGroup var files: FileSystemArguments
    @OptionGroup var output: OutputArguments

    private struct Report: Encodable {
        var name: String
        var version: UInt32
        var files: Int
        var directories: Int
        var links: Int
        var fileBytes: UInt64
        var blocks: Int
        var milliseconds: Int
    }

    func run() async throws {
        let began = ContinuousClock.now
        let progress = output.line
        let (version, counts) = try await files.withFiles { files, _ in
            let counts = try await files.verify {
                progress.update("\($0.files) files, \($0.blocks) blocks, \(Output.size($0.fileBytes)) verified")
            }
            return (files.version, counts)
        }
        progress.end()
        let report = Report(
            name: "\(files.name)", version: version, files: counts.files, directories: counts.directories,
            links: counts.links, fileBytes: counts.fileBytes, blocks: counts.blocks,
            milliseconds: Int((ContinuousClock.now - began) / .milliseconds(1)))
        if output.json { return try Output.json(report) }
        print(
            "\(report.name) version \(report.version): \(report.files) files, \(report.directories) directories, "
                + "\(report.links) links, \(Output.size(report.fileBytes)), \(report.blocks) blocks, all right, "
                + "\(report.milliseconds) ms")
    }
}
