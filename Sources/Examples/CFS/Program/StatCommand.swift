import ArgumentParser
import CFSFiles

/// Says what a file system, or a file of it, is.
struct StatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Says what a file system is, and what a file of it is.",
        discussion: "EXAMPLES:\n  cfs stat NAME\n  cfs stat NAME /docs/README.md --json")

    @OptionGroup var files: FileSystemArguments
    @Argument(help: "The path within the file system; a link at its end is not followed.") var path = "/"
    @Flag(help: "Print the result for machines.") var json = false

    private struct Report: Encodable {
        var name: String
        var version: UInt32
        var published: String
        var validUntil: String
        var isValid: Bool
        var blockSize: UInt32
        var file: FileReport
    }

    func run() async throws {
        let report = try await files.withFiles { files, _ in
            let found = try await files.walk(path, followsLast: false)
            return Report(
                name: "\(files.name)", version: files.version, published: "\(FileTime(seconds: files.info.start))",
                validUntil: "\(FileTime(seconds: UInt32(clamping: files.info.end)))",
                isValid: files.info.isCurrent(at: UInt64(Output.now)), blockSize: files.info.blockSize,
                file: FileReport(found.inode, found.handle, at: "\(found.path)"))
        }
        if json { return try Output.json(report) }
        print("file system \(report.name), version \(report.version), blocks of \(report.blockSize) bytes")
        print(
            "published   \(report.published), valid until \(report.validUntil)\(report.isValid ? "" : ", which is over")"
        )
        let file = report.file
        print("path        \(file.path)\(file.target.map { " -> \($0)" } ?? "")")
        print("what        \(file.kind), \(file.size) bytes, \(file.links) links, number \(file.fileID)")
        print("times       modified \(file.modified), changed \(file.changed)")
        print("handle      \(file.handle)")
    }
}
