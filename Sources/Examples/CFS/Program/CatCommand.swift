import ArgumentParser
import CFSFiles

/// Prints files.
struct CatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Prints files, every block of which was verified.",
        discussion: "EXAMPLE:\n  cfs cat NAME /docs/README.md /docs/LICENSE")

    @OptionGroup var files: FileSystemArguments
    @Argument(help: "The paths within the file system.") var paths: [String]

    func run() async throws {
        try await files.withFiles { files, _ in
            for path in paths {
                try await files.forEachBlock(of: try await files.walk(path)) { Output.bytes($0) }
            }
        }
    }
}
