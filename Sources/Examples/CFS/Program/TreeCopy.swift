import CFSDisk
import CFSFiles
import NIOCore

/// A tree on its way to the disk.
struct TreeCopy<Source: BlockSource> {
    struct Report: Encodable {
        var files = 0
        var directories = 0
        var links = 0
        var bytes: UInt64 = 0
        var milliseconds = 0
    }

    let files: FileSystem<Source>
    let progress: Progress
    private(set) var report = Report()

    /// Files whose inodes and first blocks are fetched together.
    private static var together: Int { 64 }

    init(files: FileSystem<Source>, progress: Progress) {
        self.files = files
        self.progress = progress
    }

    /// Copies a file, or a directory and all below it.
    mutating func copy(_ file: FoundFile, as name: FileName, into folder: borrowing DiskWriter) async throws {
        let inode = file.inode
        switch inode.contents {
        case .link(let target):
            try folder.link(name, to: target, modified: inode.modified)
            report.links += 1
        case .regular: try await copyFile(file, as: name, into: folder, isExecutable: false)
        case .executable: try await copyFile(file, as: name, into: folder, isExecutable: true)
        case .directory, .opaqueDirectory:
            // The walk to a file bounds the depth; the walk down a tree does it here.
            guard file.path.names.count < CFSFileLimits.depth else {
                throw FileSystemError(.tooDeep(max: CFSFileLimits.depth), block: file.handle)
            }
            let child = try folder.directory(name)
            var entries = try await files.list(file.handle).filter { $0.inode != nil }[...]
            while !entries.isEmpty {
                let some = entries.prefix(Self.together)
                entries = entries.dropFirst(Self.together)
                await files.expect(some.compactMap(\.inode))
                var found: [FoundFile] = []
                for entry in some {
                    guard let handle = entry.inode else { continue }
                    found.append(
                        FoundFile(
                            handle: handle, inode: try await files.inode(handle), path: file.path.appending(entry.name))
                    )
                }
                await files.expectContents(of: found)
                for (entry, file) in zip(some, found) { try await copy(file, as: entry.name, into: child) }
            }
            child.finish(modified: inode.modified)
            report.directories += 1
        }
        progress.update("\(report.files) files, \(Output.size(report.bytes)) copied")
    }

    private mutating func copyFile(
        _ file: FoundFile, as name: FileName, into folder: borrowing DiskWriter, isExecutable: Bool
    ) async throws {
        try await folder.file(name, isExecutable: isExecutable, modified: file.inode.modified) { write in
            try await files.forEachBlock(of: file) { block in
                try write(block)
                report.bytes += UInt64(block.readableBytes)
                progress.update("\(report.files) files, \(Output.size(report.bytes)) copied")
            }
        }
        report.files += 1
    }
}
