import CFSModel
import NIOCore

/// One walk through a tree, from the files up.
struct PublishingRun<Tree: FileTree, Sink: BlockSink> {
    let tree: Tree
    let sink: Sink
    let layout: FileLayout
    let history: SnapshotHistory?
    private(set) var counts = Publication.Counts()

    init(tree: Tree, sink: Sink, layout: FileLayout, history: SnapshotHistory?) {
        self.tree = tree
        self.sink = sink
        self.layout = layout
        self.history = history
    }

    /// Publishes everything.
    ///
    /// - Returns: The handle of the root directory.
    mutating func publishRoot() async throws -> ChordID {
        let root = try await tree.root()
        guard case .directory = root.kind else { throw FileSystemError(.rootIsNoDirectory) }
        return try await publish(root, at: .root)
    }

    private mutating func publish(_ node: TreeNode, at path: TreePath) async throws -> ChordID {
        let contents: Inode.Contents
        switch node.kind {
        case .file(let isExecutable):
            let map = try await publishFile(path)
            contents = isExecutable ? .executable(map) : .regular(map)
        case .directory(let isOpaque):
            let map = try await publishDirectory(path)
            contents = isOpaque ? .opaqueDirectory(map) : .directory(map)
        case .link(let target):
            contents = .link(target: target)
            counts.links += 1
        }
        let inode = Inode(
            path: path.bytes, linkCount: node.linkCount, modified: node.modified, changed: node.changed,
            contents: contents)
        return try await store(.inode(inode))
    }

    private mutating func publishFile(_ path: TreePath) async throws -> BlockMap {
        var builder = BlockMapBuilder(layout: layout)
        var offset: UInt64 = 0
        while true {
            let data = try await block(of: path, at: offset)
            if data.readableBytes == 0 { break }
            offset += UInt64(data.readableBytes)
            let name = try await store(.data(data))
            for full in try builder.append(name, bytes: data.readableBytes) { try await store(full) }
            // A file that grows meanwhile: a block that is not full is the last one.
            if data.readableBytes < layout.blockSize { break }
        }
        let (map, rest) = try builder.finish()
        for block in rest { try await store(block) }
        counts.files += 1
        counts.fileBytes += map.size
        return map
    }

    /// The next block of a file: full, unless it ends there.
    private func block(of path: TreePath, at offset: UInt64) async throws -> ByteBuffer {
        var data = try await tree.read(path, at: offset, count: layout.blockSize)
        while 0 < data.readableBytes, data.readableBytes < layout.blockSize {
            let more = try await tree.read(
                path, at: offset + UInt64(data.readableBytes), count: layout.blockSize - data.readableBytes)
            if more.readableBytes == 0 { break }
            data.writeImmutableBuffer(more)
        }
        precondition(data.readableBytes <= layout.blockSize, "the tree read more than it was asked for")
        return data
    }

    private mutating func publishDirectory(_ path: TreePath) async throws -> BlockMap {
        guard path.names.count < CFSFileLimits.depth else {
            throw FileSystemError(.tooDeep(max: CFSFileLimits.depth))
        }
        var entries = [
            Directory.Entry(.itself, inode: nil, fileID: path.fileID),
            Directory.Entry(.parent, inode: nil, fileID: path.parent.fileID),
        ]
        var names: Set<FileName> = [.itself, .parent]
        if path == .root { names.insert(.snapshots) }
        for (name, node) in try await tree.list(path) {
            guard names.insert(name).inserted else { throw FileSystemError(.badEntry(name)) }
            let child = path.appending(name)
            guard child.bytes.count <= CFSFileLimits.pathBytes else { throw FileSystemError(.badPath) }
            let inode = try await publish(node, at: child)
            entries.append(Directory.Entry(name, inode: inode, fileID: child.fileID))
        }
        if path == .root, let folder = try await publishSnapshots(beside: entries) { entries.append(folder) }
        let block = try await storeDirectory(entries)
        counts.directories += 1
        return BlockMap(size: UInt64(block.bytes.readableBytes), direct: [block.name])
    }

    /// - Returns: The entry of the directory that has the snapshots; nil if there are none.
    private mutating func publishSnapshots(beside entries: [Directory.Entry]) async throws -> Directory.Entry? {
        guard let history else { return nil }
        let plain = try NamedBlock(.directory(Directory(entries.sorted { $0.name < $1.name })))
        let snapshots = history.snapshots(beside: plain.name)
        guard let latest = snapshots.first else { return nil }
        for block in history.blocks { try await store(block) }
        let path = TreePath.root.appending(.snapshots)
        var folder = [
            Directory.Entry(.itself, inode: nil, fileID: path.fileID),
            Directory.Entry(.parent, inode: nil, fileID: TreePath.root.fileID),
        ]
        for snapshot in snapshots {
            guard let name = FileName(snapshot.date) else { throw FileSystemError(.badPath) }
            folder.append(Directory.Entry(name, inode: snapshot.root, fileID: path.appending(name).fileID))
        }
        let block = try await storeDirectory(folder)
        let time = FileTime(seconds: latest.version)
        let inode = Inode(
            path: path.bytes, linkCount: 1, modified: time, changed: time,
            contents: .directory(BlockMap(size: UInt64(block.bytes.readableBytes), direct: [block.name])))
        return Directory.Entry(.snapshots, inode: try await store(.inode(inode)), fileID: path.fileID)
    }

    private mutating func storeDirectory(_ entries: [Directory.Entry]) async throws -> NamedBlock {
        let block = try NamedBlock(.directory(Directory(entries.sorted { $0.name < $1.name })))
        try await store(block)
        return block
    }

    @discardableResult
    private mutating func store(_ block: FileBlock) async throws -> ChordID {
        let block = try NamedBlock(block)
        try await store(block)
        return block.name
    }

    private mutating func store(_ block: NamedBlock) async throws {
        try await sink.store(block)
        counts.blocks += 1
        counts.blockBytes += UInt64(block.bytes.readableBytes)
    }
}
