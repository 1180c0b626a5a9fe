import CFSFiles
import CFSModel
import NIOCore
import ONCRPC
import Testing

/// Goal: a tree becomes blocks that name each other from its root down, the same ones for the same tree.
struct PublisherTests {
    private static let tree = MemoryTree([
        "README": .text("read me"), "empty": .text(""), "link": .link("bin/run"), "-dash": .text("-"),
        "bin": .directory(["run": .file(Array("#!/bin/sh".utf8), isExecutable: true)]),
        "copy": .directory(["README": .text("read me")]), "secret": .opaque(["x": .text("y")]),
    ])

    @Test("a tree is published with what its files are")
    func kinds() async throws {
        let (files, publication) = try await published(Self.tree)
        #expect(publication.counts.files == 6)
        #expect(publication.counts.directories == 4)
        #expect(publication.counts.links == 1)
        #expect(publication.counts.fileBytes == 7 + 1 + 9 + 7 + 1)
        let run = try await files.walk("/bin/run")
        guard case .executable(let map) = run.inode.contents else { throw FileSystemError(.notFile) }
        #expect(map.size == 9)
        #expect(run.inode.path == Array("/bin/run".utf8))
        #expect(run.inode.modified == FileTime(seconds: 1_000_000_000, nanoseconds: 5))
        #expect(run.inode.fileID == run.path.fileID)
        guard case .opaqueDirectory = try await files.walk("/secret").inode.contents else {
            throw FileSystemError(.notDirectory)
        }
    }

    @Test("directories are sorted as strcmp does, and have themselves and the one above")
    func directories() async throws {
        let (files, _) = try await published(Self.tree)
        let entries = try await files.list(files.root)
        #expect(
            entries.map(\.name.description) == [
                "-dash", ".", "..", "README", "bin", "copy", "empty", "link", "secret",
            ])
        #expect(entries[1].fileID == TreePath.root.fileID)
        #expect(entries[2].fileID == TreePath.root.fileID)
        let bin = try await files.walk("/bin")
        let below = try await files.list(bin.handle)
        let run = bin.path.appending(try name("run"))
        #expect(below.map(\.fileID) == [bin.path.fileID, TreePath.root.fileID, run.fileID])
        #expect(below.map { $0.inode == nil } == [true, true, false])
    }

    @Test("an empty tree has a root")
    func empty() async throws {
        let (files, publication) = try await published(MemoryTree([:]))
        #expect(try await files.list(files.root).count == 2)
        #expect(publication.counts.blocks == 2)
        #expect(publication.root == files.root)
    }

    @Test("equal trees give equal blocks, and a change gives new ones only from the file up to the root")
    func equalBlocks() async throws {
        let (first, second, third) = (MemoryBlocks(), MemoryBlocks(), MemoryBlocks())
        _ = try await published(Self.tree, in: first)
        _ = try await published(Self.tree, in: second)
        #expect(first.blocks == second.blocks)
        var items = Self.tree.item.children
        items["bin"] = .directory(["run": .text("other")])
        _ = try await published(MemoryTree(items), in: third)
        let new = third.blocks.keys.filter { first.blocks[$0] == nil }
        // The file's bytes and inode, then block and inode of its directory, then of the root.
        #expect(new.count == 6)
    }

    @Test("files with the same bytes share their blocks")
    func sharing() async throws {
        let blocks = MemoryBlocks()
        let (_, publication) = try await published(
            MemoryTree(["a": .pattern(5120), "b": .pattern(5120)]), in: blocks)
        // Ten blocks each, two inodes, block and inode of the root.
        #expect(publication.counts.blocks == 24)
        #expect(blocks.blocks.count == 14)
    }

    @Test(
        "a later publication has a greater version, whatever the clock says",
        arguments: [(2000, 2000), (1001, 1001), (1000, 1001), (1, 1001)] as [(UInt32, UInt32)])
    func versions(now: UInt32, version: UInt32) async throws {
        let blocks = MemoryBlocks()
        let publisher = try Publisher(key: signingKey(), blockSize: 512)
        let first = try await publisher.publish(Self.tree, to: blocks, at: 1000)
        #expect(first.version == 1000)
        #expect(first.name == publisher.name)
        let before = blocks.blocks
        let old = blocks.signed
        let second = try await publisher.publish(Self.tree, to: blocks, at: now, after: first.version)
        #expect(second.version == version)
        #expect(second.name == first.name)
        #expect(second.root == first.root)
        #expect(blocks.blocks == before)
        let files = try await FileSystem.open(publisher.name, from: blocks, seen: first.version)
        #expect(files.version == version)
        // Somebody has the old root still.
        blocks.signed = old
        await expectError(.olderVersion(1000, seen: version), at: publisher.name) {
            try await FileSystem.open(publisher.name, from: blocks, seen: version)
        }
    }

    @Test("behind the last version there is none")
    func lastVersion() async throws {
        let publisher = try Publisher(key: signingKey())
        await expectError(.noLaterVersion) {
            try await publisher.publish(Self.tree, to: MemoryBlocks(), at: 1000, after: .max)
        }
    }

    @Test("the publisher vouches for as long as it says")
    func duration() async throws {
        let blocks = MemoryBlocks()
        let publisher = try Publisher(key: signingKey(), duration: 60)
        _ = try await publisher.publish(Self.tree, to: blocks, at: 1000)
        let info = try await FileSystem.open(publisher.name, from: blocks).info
        #expect(info.blockSize == 8192)
        #expect([999, 1000, 1059, 1060].map { info.isCurrent(at: $0) } == [false, true, true, false])
    }

    @Test("a tree that reads in small pieces gives the same blocks")
    func smallReads() async throws {
        let (whole, pieces) = (MemoryBlocks(), MemoryBlocks())
        var tree = MemoryTree(["a": .pattern(1300)])
        _ = try await published(tree, in: whole)
        tree.bytesPerRead = 7
        _ = try await published(tree, in: pieces)
        #expect(whole.blocks == pieces.blocks)
    }

    @Test("a directory with a name twice, or with dots, is not published", arguments: ["a", ".", ".."])
    func twins(twin: String) async throws {
        let twin = try name(twin)
        let publisher = try Publisher(key: signingKey())
        let blocks = MemoryBlocks()
        await expectError(.badEntry(twin)) {
            try await publisher.publish(TwinTree(names: [twin, twin]), to: blocks, at: 1)
        }
        #expect(blocks.signed.isEmpty)
    }

    @Test("directories that are too deep are not published")
    func depth() async throws {
        var item = MemoryTree.Item.directory([:])
        for _ in 1..<CFSFileLimits.depth { item = .directory(["d": item]) }
        var tree = MemoryTree([:])
        tree.item = item
        let (files, _) = try await published(tree)
        #expect(try await files.verify().directories == CFSFileLimits.depth)
        #expect(
            try await files.walk(String(repeating: "d/", count: CFSFileLimits.depth - 1)).path.names.count
                == CFSFileLimits.depth - 1)
        let deeper = MemoryTree(["d": item])
        await expectError(.tooDeep(max: CFSFileLimits.depth)) { try await published(deeper) }
    }

    @Test("a directory that does not fit into a block is not published, nor a link that is too long")
    func tooMuch() async throws {
        let long = MemoryTree(["l": .link(String(repeating: "x", count: 4097))])
        await expectError(
            .malformed(XDRError(.tooLong(count: 4097, max: 4096), at: 36))
        ) { try await published(long) }
        // Each takes 292 bytes of the block.
        let names = (1000..<4600).map { FileName("\($0)" + String(repeating: "x", count: 251)) }
        await expectError(.tooLarge(bytes: 3600 * 292 + 2 * 40 + 12)) {
            try await Publisher(key: signingKey()).publish(
                TwinTree(names: names.compactMap(\.self)), to: MemoryBlocks(), at: 1)
        }
    }

    @Test("the root has to be a directory, and blocks have to have a size")
    func badPublications() async throws {
        var tree = MemoryTree([:])
        tree.item = .text("no directory")
        await expectError(.rootIsNoDirectory) { try await published(tree) }
        #expect(throws: FileSystemError(.badBlockSize(100))) { try Publisher(key: signingKey(), blockSize: 100) }
    }
}

/// A directory of links with whatever names.
private struct TwinTree: FileTree {
    var names: [FileName]

    func root() -> TreeNode { TreeNode(.directory, modified: FileTime(seconds: 0)) }

    func list(_: TreePath) -> [(name: FileName, node: TreeNode)] {
        names.map { ($0, TreeNode(.link(target: [1]), modified: FileTime(seconds: 0))) }
    }

    func read(_: TreePath, at _: UInt64, count _: Int) -> ByteBuffer { ByteBuffer() }
}
