import ArgumentParser
import CFSDisk
import CFSFiles
import Foundation

/// Copies a tree to the disk.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Copies a file, or a directory and all below it, to the disk.",
        discussion: """
            The destination must not be there; nothing is ever replaced. A file appears under its name while it is written, \
            and is removed if a block of it is missing or wrong.

            EXAMPLES:
              cfs get NAME /docs ./docs
              cfs get NAME /.snapshots/2026-11-22T19:00:00Z ./yesterday
            """)

    @OptionGroup var files: FileSystemArguments
    @Argument(help: "The path within the file system.") var path: String
    @Argument(help: "Where to.") var destination: String
    @OptionGroup var output: OutputArguments

    func run() async throws {
        let url = URL(fileURLWithPath: destination)
        guard let name = FileName(url.lastPathComponent), !name.isSpecial else {
            throw ValidationError("not a destination: \(destination)")
        }
        let progress = output.line
        let began = ContinuousClock.now
        var report = try await files.withFiles { files, _ in
            var copy = TreeCopy(files: files, progress: progress)
            let found = try await files.walk(path)
            try await copy.copy(found, as: name, into: try DiskWriter.opening(url.deletingLastPathComponent().path))
            return copy.report
        }
        progress.end()
        report.milliseconds = Int((ContinuousClock.now - began) / .milliseconds(1))
        if output.json { return try Output.json(report) }
        Output.say(
            "\(report.files) files, \(report.directories) directories, \(report.links) links, "
                + "\(Output.size(report.bytes)) copied and verified, \(report.milliseconds) ms")
    }
}
