import ArgumentParser
import CFSFiles
import CFSModel

/// Lists a directory.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists a directory, or says what a file is.",
        discussion: """
            EXAMPLES:
              cfs ls NAME
              cfs ls -l NAME /docs
              cfs ls NAME --at 2026-11-22T19:00:00Z /docs
            """)

    @OptionGroup var files: FileSystemArguments
    @Argument(help: "The path within the file system.") var path = "/"
    @Flag(name: .short, help: "Sizes, times and kinds.") var long = false
    @Flag(name: .short, help: "Names that begin with a dot, too.") var all = false
    @Flag(help: "Print the result for machines.") var json = false

    func run() async throws {
        try await files.withFiles { files, _ in
            let found = try await files.walk(path)
            guard found.inode.isDirectory else {
                try show([(path, FileReport(found.inode, found.handle, at: "\(found.path)"))])
                return
            }
            let dot = UInt8(ascii: ".")
            let entries = try await files.list(found.handle)
                .filter { !$0.name.isSpecial && (all || json || $0.name.bytes.first != dot) }
            guard long || json else { return entries.forEach { print($0.name) } }
            await files.expect(entries.compactMap(\.inode))
            var lines: [(String, FileReport)] = []
            for entry in entries {
                guard let handle = entry.inode else { continue }
                let path = "\(found.path.appending(entry.name))"
                lines.append(("\(entry.name)", FileReport(try await files.inode(handle), handle, at: path)))
            }
            try show(lines)
        }
    }

    private func show(_ lines: [(name: String, file: FileReport)]) throws {
        if json { return try Output.json(lines.map(\.file)) }
        for (name, file) in lines { print(long ? file.line(name) : name) }
    }
}
