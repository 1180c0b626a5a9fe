import ArgumentParser
import CFSBlocks
import CFSClient
import CFSDisk
import CFSFiles
import CFSModel
import NIOCore

/// Publishes a directory.
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Publishes a directory, and prints the name of the file system.",
        discussion: """
            What was published with the key before is kept as a snapshot. Nobody reads what is published longer than it is \
            valid: publish again in time.

            EXAMPLES:
              cfs publish --key publisher.key ./tree
              cfs publish --key publisher.key --form 2008 --keep-for 90d --valid-for 30d --json ./tree
            """)

    @Argument(help: "The directory.") var directory: String
    @Option(help: ArgumentHelp("The key, as `cfs key make` made it.", valueName: "file")) var key: String
    @Option(help: "Bytes of a file in one block: as before, 8192 at first. Snapshots have the same.") var blockSize:
        Int?
    @Option(help: "For how long you vouch for it: 90s, 15m, 12h, 30d.") var validFor = Span(seconds: 86_400, "1d")
    @Option(help: "How many earlier publications are kept as snapshots.") var snapshots = 30
    @Option(help: "How long nodes are to keep the blocks; 2008 only.") var keepFor: Span?
    @OptionGroup var gateway: GatewayArguments
    @OptionGroup var state: StateArguments
    @OptionGroup var output: OutputArguments

    func validate() throws {
        if let blockSize, !CFSFileLimits.blockSizes.contains(blockSize) {
            throw ValidationError("blocks have \(CFSFileLimits.blockSizes) bytes")
        }
        guard (0...CFSFileLimits.snapshots).contains(snapshots) else {
            throw ValidationError("the snapshots are 0 to \(CFSFileLimits.snapshots)")
        }
    }

    private struct Report: Encodable {
        var name: String
        var version: UInt32
        var files: Int
        var directories: Int
        var links: Int
        var fileBytes: UInt64
        var blocks: Int
        var blocksStored: Int
        var bytesStored: UInt64
        var snapshots: Int
        var skipped: [String]
        var milliseconds: Int
    }

    func run() async throws {
        let began = ContinuousClock.now
        let key = try KeyFile.read(key)
        let name = key.verificationKey.blockName()
        let tree = DiskTree(directory)
        // Before anything else is done.
        _ = try tree.root()
        let report = try await gateway.withClient { client in
            var options = GatewayBlocks.Options()
            options.expiration = keepFor.map { UInt32(clamping: UInt64(Output.now) + UInt64($0.seconds)) }
            let blocks = GatewayBlocks(client, options)
            let seen = try state.seen.version(of: name)
            let previous = try await previous(name, blocks)
            let publisher = try Publisher(
                key: key,
                blockSize: blockSize ?? previous.map { Int($0.info.blockSize) } ?? CFSFileLimits.standardBlockSize,
                duration: validFor.seconds)
            let history = try await history(previous)
            let progress = output.line
            let publication = try await publisher.publish(
                ReportingTree(tree: tree) {
                    let (files, bytes) = tree.progress
                    progress.update("\(files) files, \(Output.size(bytes)) published")
                }, to: blocks, at: Output.now, after: previous.map { max($0.version, seen ?? 0) } ?? seen,
                keeping: history)
            progress.end()
            try state.seen.saw(publication.version, of: publisher.name)
            let counters = await blocks.counters
            let kept = try await FileSystem.open(publisher.name, from: blocks).snapshots().count
            let (counts, time) = (publication.counts, ContinuousClock.now - began)
            return Report(
                name: "\(publication.name)", version: publication.version, files: counts.files,
                directories: counts.directories, links: counts.links, fileBytes: counts.fileBytes,
                blocks: counts.blocks, blocksStored: counters.stored, bytesStored: counters.storedBytes,
                snapshots: kept, skipped: tree.skipped, milliseconds: Int(time / .milliseconds(1)))
        }
        for path in report.skipped { Output.say("cfs: left out \(path): neither file nor directory nor link") }
        if output.json { return try Output.json(report) }
        print(report.name)
        Output.say(
            "\(report.files) files, \(report.directories) directories, \(report.links) links, "
                + "\(Output.size(report.fileBytes)) in \(report.blocks) blocks, \(report.blocksStored) stored, "
                + "\(report.milliseconds) ms")
    }

    /// What is published now; nil if nothing is.
    private func previous(
        _ name: ChordID, _ blocks: GatewayBlocks
    ) async throws -> FileSystem<GatewayBlocks>? {
        do {
            // Whether it is valid still does not matter: something newer is to come.
            return try await FileSystem.open(name, from: blocks)
        } catch let error as FileSystemError where error.code == .missing {
            return nil
        }
    }

    private func history(_ previous: FileSystem<GatewayBlocks>?) async throws -> SnapshotHistory? {
        guard let previous, snapshots > 0 else { return nil }
        do {
            return try await SnapshotHistory(following: previous, keep: snapshots)
        } catch let error as FileSystemError where error.code == .missing {
            Output.say("cfs: nothing earlier is kept: \(error)")
            return nil
        }
    }
}

/// A tree that says when it is read.
private struct ReportingTree<Tree: FileTree>: FileTree {
    let tree: Tree
    let report: () -> Void

    func root() async throws -> TreeNode { try await tree.root() }

    func list(_ directory: TreePath) async throws -> [(name: FileName, node: TreeNode)] {
        try await tree.list(directory)
    }

    func read(_ file: TreePath, at offset: UInt64, count: Int) async throws -> ByteBuffer {
        report()
        return try await tree.read(file, at: offset, count: count)
    }
}
