import CFSFiles
import CFSModel
import NIOCore
import ONCRPC
import Testing

/// Goal: nothing is believed that the root does not prove, and no blocks, however they are put together, hold a reader up.
struct HostileTests {
    private static let tree = MemoryTree([
        "d": .directory(["file": .text("bytes")]), "link": .link("d"),
        "long": .file(Array(repeating: 7, count: 512 * 139 + 5)),
    ])

    @Test("each block that is missing or has another content is found by its name")
    func damage() async throws {
        let blocks = MemoryBlocks()
        let (files, _) = try await published(Self.tree, in: blocks)
        let all = blocks.blocks
        for (name, bytes) in all {
            blocks.blocks[name] = nil
            await expectError(.missing, at: name) { try await files.verify() }
            var damaged = Array(bytes.readableBytesView)
            damaged[damaged.count - 1] ^= 1
            blocks.blocks[name] = ByteBuffer(bytes: damaged)
            await expectError(.wrongContent, at: name) { try await files.verify() }
            blocks.blocks[name] = bytes
        }
        _ = try await files.verify()
    }

    @Test("a block that is right, but of another name, is not taken for it")
    func swapped() async throws {
        let blocks = MemoryBlocks()
        let (files, _) = try await published(Self.tree, in: blocks)
        let (file, link) = (try await files.walk("/d/file"), try await files.walk("/link", followsLast: false))
        blocks.blocks[file.handle] = blocks.blocks[link.handle]
        await expectError(.wrongContent, at: file.handle) { try await files.walk("/d/file") }
    }

    @Test("a block of more than 1 MiB is not even hashed")
    func huge() async throws {
        let blocks = MemoryBlocks()
        let (files, _) = try await published(Self.tree, in: blocks)
        blocks.blocks[files.root] = ByteBuffer(repeating: 0, count: CFSFileLimits.blockBytes + 1)
        await expectError(.tooLarge(bytes: CFSFileLimits.blockBytes + 1), at: files.root) {
            try await files.inode(files.root)
        }
    }

    @Test("a name is opened only as what its key signed as a root")
    func badRoots() async throws {
        let blocks = MemoryBlocks()
        let (_, publication) = try await published(Self.tree, in: blocks)
        blocks.signed[publication.name] = ByteBuffer(string: "nonsense")
        await expectError(
            .malformed(XDRError(.unknownCase(type: "KeyKind", number: 0x6E6F_6E73), at: 0)), at: publication.name
        ) { try await FileSystem.open(publication.name, from: blocks) }
        let other = SignedBlock(ByteBuffer(), version: 1, by: try signingKey(2))
        blocks.signed[publication.name] = try other.bytes
        await expectError(.wrongKey) { try await FileSystem.open(publication.name, from: blocks) }
        let data = try XDRWriter.bytes(of: FileBlock.data(ByteBuffer()))
        blocks.signed[publication.name] = try SignedBlock(data, version: 1, by: signingKey()).bytes
        await expectError(.wrongKind(.data, expected: .root)) {
            try await FileSystem.open(publication.name, from: blocks)
        }
    }

    @Test("a block of another kind than the one that names it says is refused")
    func wrongKinds() async throws {
        let data = try NamedBlock(.data(ByteBuffer(repeating: 1, count: 512)))
        let files = try await signed(data.name, in: MemoryBlocks([data]))
        await expectError(.wrongKind(.data, expected: .inode), at: data.name) { try await files.inode(data.name) }
        // A directory, and a file, whose bytes are an inode; a file whose indirect block is one.
        let link = try NamedBlock(.inode(inode(.link(target: [1]))))
        let direct = BlockMap(size: 5, direct: [link.name])
        let indirect = BlockMap(
            size: 129 * 512, direct: Array(repeating: data.name, count: 128), indirect: link.name)
        for (contents, expected) in [
            (.directory(direct), .directory), (.regular(direct), .data), (.executable(indirect), .indirect),
        ] as [(Inode.Contents, FileBlock.Kind)] {
            let top = try NamedBlock(.inode(inode(contents)))
            let files = try await signed(top.name, in: MemoryBlocks([data, link, top]))
            await expectError(.wrongKind(.inode, expected: expected), at: link.name) { try await files.verify() }
        }
    }

    @Test("a root that is no directory is refused")
    func rootIsNoDirectory() async throws {
        let file = try NamedBlock(.inode(inode(.regular(BlockMap()))))
        let files = try await signed(file.name, in: MemoryBlocks([file]))
        await expectError(.rootIsNoDirectory) { try await files.verify() }
        await expectError(.notDirectory) { try await files.walk("/x") }
    }

    @Test("blocks that are shorter or longer than the file's size says are refused")
    func wrongLengths() async throws {
        let data = try NamedBlock(.data(ByteBuffer(repeating: 1, count: 511)))
        for (size, count, expected) in [(510, 1, 510), (512, 1, 512), (1022, 2, 512)] as [(UInt64, Int, Int)] {
            let map = BlockMap(size: size, direct: Array(repeating: data.name, count: count))
            let file = try NamedBlock(.inode(inode(.regular(map))))
            let files = try await signed(file.name, in: MemoryBlocks([data, file]))
            await expectError(.wrongLength(bytes: 511, expected: expected), at: data.name) {
                try await files.read(file.name, at: 0, count: 2000)
            }
        }
    }

    @Test("a file with holes, where a name should be, is refused")
    func unnamedBlocks() async throws {
        let data = try NamedBlock(.data(ByteBuffer(repeating: 1, count: 512)))
        let short = try NamedBlock(.indirect([data.name, nil]))
        let direct = Array(repeating: ChordID?.some(data.name), count: 128)
        for (map, hole) in [
            (BlockMap(size: 1), 0), (BlockMap(size: 513, direct: [data.name, nil]), 1),
            (BlockMap(size: 129 * 512, direct: direct), 128),
            // An indirect block with a zero, and one that is too short.
            (BlockMap(size: 138 * 512, direct: direct, indirect: short.name), 129),
            (BlockMap(size: 138 * 512, direct: direct, indirect: short.name, doubleIndirect: short.name), 129),
        ] {
            let file = try NamedBlock(.inode(inode(.regular(map))))
            let files = try await signed(file.name, in: MemoryBlocks([data, short, file]))
            await expectError(.unnamedBlock(index: hole), at: file.name) { try await files.verify() }
        }
        let long = try NamedBlock(
            .inode(inode(.regular(BlockMap(size: 138 * 512, direct: direct, indirect: short.name)))))
        let files = try await signed(long.name, in: MemoryBlocks([data, short, long]))
        await expectError(.unnamedBlock(index: 135)) { try await files.read(long.name, at: 135 * 512, count: 1) }
        let empty = try NamedBlock(.inode(inode(.directory(BlockMap()))))
        let other = try await signed(empty.name, in: MemoryBlocks([empty]))
        await expectError(.unnamedBlock(index: 0), at: empty.name) { try await other.list(empty.name) }
    }

    @Test("a size that no file can have is refused", arguments: [1238 * 512 + 1, .max] as [UInt64])
    func absurdSizes(size: UInt64) async throws {
        let file = try NamedBlock(.inode(inode(.regular(BlockMap(size: size)))))
        let files = try await signed(file.name, in: MemoryBlocks([file]))
        await expectError(.fileTooLarge(bytes: size), at: file.name) {
            try await files.read(file.name, at: 0, count: 1)
        }
    }

    @Test("inodes and indirect blocks that the historic publisher filled up with zeros are read")
    func historicFilling() async throws {
        let data = try NamedBlock(.data(ByteBuffer(repeating: 1, count: 512)))
        let last = try NamedBlock(.data(ByteBuffer(string: "end")))
        let names = try NamedBlock(.indirect([data.name, last.name] + Array(repeating: nil, count: 8)))
        let long = BlockMap(
            size: 129 * 512 + 3, direct: Array(repeating: data.name, count: 128), indirect: names.name)
        let short = BlockMap(size: 3, direct: [last.name] + Array(repeating: nil, count: 127))
        for map in [long, short] {
            let file = try NamedBlock(.inode(inode(.regular(map))))
            let files = try await signed(file.name, in: MemoryBlocks([data, last, names, file]))
            #expect(try await files.read(file.name, at: map.size - 3, count: 9) == ByteBuffer(string: "end"))
        }
    }

    @Test("snapshots that the historic publisher put behind the others, unsorted, are read")
    func historicSnapshots() async throws {
        let empty = try NamedBlock(.inode(inode(.regular(BlockMap()))))
        let names = ["Wed Nov  3 17:01:57 2004", "Thu Nov  4 08:00:00 2004"]
        let entries = try names.map { Directory.Entry(try name($0), inode: empty.name, fileID: 1) }
        let block = try NamedBlock(.directory(Directory(entries)))
        let top = try NamedBlock(.inode(inode(.directory(BlockMap(size: 1, direct: [block.name])))))
        let files = try await signed(top.name, in: MemoryBlocks([empty, block, top]))
        #expect(try await files.list(files.root).map(\.name.description) == names)
        _ = try await files.walk("/\(names[1])")
    }

    @Test("few blocks that pretend to be an endless tree are verified at once, and no deeper than directories may be")
    func endless() async throws {
        var below = try NamedBlock(.inode(inode(.regular(BlockMap()))))
        var blocks = [below]
        for _ in 0...CFSFileLimits.depth {
            let entries = ["a", "b", "c"].compactMap { FileName($0) }.map {
                Directory.Entry($0, inode: below.name, fileID: 1)
            }
            let block = try NamedBlock(.directory(Directory(entries)))
            below = try NamedBlock(.inode(inode(.directory(BlockMap(size: 1, direct: [block.name])))))
            blocks += [block, below]
        }
        let deepest = try await signed(blocks[blocks.count - 3].name, in: MemoryBlocks(blocks))
        #expect(try await deepest.verify().blocks == blocks.count - 2)
        let files = try await signed(below.name, in: MemoryBlocks(blocks))
        await expectError(.tooDeep(max: CFSFileLimits.depth)) { try await files.verify() }
        await expectError(.tooDeep(max: CFSFileLimits.depth)) {
            try await files.walk(String(repeating: "a/", count: CFSFileLimits.depth + 1))
        }
    }

    @Test("a file of three blocks that pretends to be a long one is verified as far as the caller wishes")
    func longFile() async throws {
        let data = try NamedBlock(.data(ByteBuffer(repeating: 1, count: 512)))
        let names = try NamedBlock(.indirect(Array(repeating: data.name, count: 10)))
        let map = BlockMap(size: 138 * 512, direct: Array(repeating: data.name, count: 128), indirect: names.name)
        let file = try NamedBlock(.inode(inode(.regular(map))))
        let entry = Directory.Entry(try name("f"), inode: file.name, fileID: 1)
        let list = try NamedBlock(.directory(Directory([entry])))
        let top = try NamedBlock(.inode(inode(.directory(BlockMap(size: 1, direct: [list.name])))))
        let files = try await signed(top.name, in: MemoryBlocks([data, names, file, list, top]))
        #expect(try await files.verify(blocksMax: 142).blocks == 142)
        await expectError(.tooManyBlocks(max: 141)) { try await files.verify(blocksMax: 141) }
    }
}
