import CFSFiles
import CFSModel
import NIOCore
import Testing

/// Goal: what was published is read, any part of it.
struct ReaderTests {
    private static let tree = MemoryTree([
        "a": .directory([
            "b": .directory(["file": .text("in b"), "up": .link("../file"), "root": .link("/top")]),
            "file": .text("in a"), "loop": .link("loop"), "around": .link("b/../around"),
            "there": .link("b/"), "nowhere": .link("missing"), "empty": .link("/"),
        ]),
        "top": .text("at the top"), "shut": .opaque(["known": .text("known")]),
    ])

    @Test(
        "a path leads to its file",
        arguments: [
            ("/top", "/top"), ("top", "/top"), ("//a///b/file", "/a/b/file"), ("/a/./b/../file", "/a/file"),
            ("/../../top", "/top"), ("/a/b/up", "/a/file"), ("/a/b/root", "/top"), ("/a/there/up", "/a/file"),
            ("/a/there/", "/a/b"), ("/", "/"), ("", "/"), (".", "/"), ("/a/empty/a/file", "/a/file"),
            ("/shut/known", "/shut/known"),
        ])
    func walking(path: String, found: String) async throws {
        let (files, _) = try await published(Self.tree)
        let file = try await files.walk(path)
        #expect(file.path.description == found)
        #expect(file.inode.path == Array(found.utf8))
        #expect(try await files.inode(file.handle) == file.inode)
    }

    @Test("a link at the end of a path is followed only if that is wished, or a slash behind it asks")
    func lastLink() async throws {
        let (files, _) = try await published(Self.tree)
        let link = try await files.walk("/a/b/up", followsLast: false)
        #expect(try await files.readLink(link.handle) == Array("../file".utf8))
        #expect(try await files.walk("/a/there", followsLast: false).path.description == "/a/there")
        #expect(try await files.walk("/a/there/", followsLast: false).path.description == "/a/b")
    }

    @Test("a path that leads nowhere says why")
    func nowhere() async throws {
        let (files, _) = try await published(Self.tree)
        await expectError(.noEntry(try name("missing"))) { try await files.walk("/missing") }
        await expectError(.noEntry(try name("missing"))) { try await files.walk("/a/nowhere") }
        await expectError(.notDirectory) { try await files.walk("/top/x") }
        await expectError(.notDirectory) { try await files.walk("/top/.") }
        await expectError(.notDirectory) { try await files.walk("/top/") }
        await expectError(.badPath) { try await files.walk("/\(String(repeating: "x", count: 256))") }
        await expectError(.badPath) { try await files.walk([0]) }
        await expectError(.badPath) { try await files.walk(String(repeating: "/", count: 4097)) }
        for loop in ["/a/loop", "/a/around"] {
            await expectError(.tooManyLinks(max: 40)) { try await files.walk(loop) }
        }
    }

    @Test("files are looked up and listed by handles")
    func handles() async throws {
        let (files, _) = try await published(Self.tree)
        let a = try await files.lookUp(name("a"), in: files.root)
        #expect(try await files.walk("/a").handle == a)
        let file = try await files.lookUp(name("file"), in: a)
        #expect(try await files.read(file, at: 0, count: 100) == ByteBuffer(string: "in a"))
        await expectError(.noEntry(try name("x")), at: a) { try await files.lookUp(name("x"), in: a) }
        await expectError(.notDirectory, at: file) { try await files.lookUp(name("x"), in: file) }
        await expectError(.notDirectory, at: file) { try await files.list(file) }
        await expectError(.notFile, at: a) { try await files.read(a, at: 0, count: 1) }
        await expectError(.notLink, at: a) { try await files.readLink(a) }
        let shut = try await files.lookUp(name("shut"), in: files.root)
        await expectError(.notListable, at: shut) { try await files.list(shut) }
        _ = try await files.lookUp(name("known"), in: shut)
    }

    @Test("nobody's name, and a handle that never was, are missing")
    func missing() async throws {
        await expectError(.missing, at: ChordID(1)) { try await FileSystem.open(ChordID(1), from: MemoryBlocks()) }
        let (files, _) = try await published(Self.tree)
        await expectError(.missing, at: ChordID(1)) { try await files.inode(ChordID(1)) }
    }

    /// Blocks of a file with which a level begins or ends, for ten names in an indirect block.
    private static let boundaries: [Int] = [1, 128, 138, 148, 238, 338, 1238]

    @Test("a file is read whole, and around each boundary, however long it is", arguments: boundaries)
    func aroundBoundaries(blocks: Int) async throws {
        for size in [blocks * 512 - 1, blocks * 512, blocks * 512 + 1] where size <= 1238 * 512 {
            let (files, _) = try await published(MemoryTree(["f": .pattern(size)]))
            let file = try await files.walk("/f")
            #expect(file.inode.size == UInt64(size))
            var whole = ByteBuffer()
            try await files.forEachBlock(of: file) { whole.writeImmutableBuffer($0) }
            #expect(whole == pattern(0..<size))
            for boundary in Self.boundaries.map({ $0 * 512 }) where boundary <= size {
                let range = max(boundary - 700, 0)..<min(boundary + 700, size)
                let part = try await files.read(file, at: UInt64(range.lowerBound), count: range.count)
                #expect(part == pattern(range))
            }
            #expect(try await files.read(file, at: UInt64(size), count: 1) == ByteBuffer())
            #expect(try await files.read(file, at: .max, count: 1) == ByteBuffer())
            #expect(try await files.read(file, at: UInt64(size - 1), count: .max) == pattern(size - 1..<size))
            #expect(try await files.read(file, at: 0, count: 0) == ByteBuffer())
            #expect(try await files.read(file, at: 0, count: -1) == ByteBuffer())
        }
    }

    @Test("a file that is longer than three levels can name is not published")
    func tooLong() async throws {
        await expectError(.fileTooLarge(bytes: 1238 * 512 + 1)) {
            try await published(MemoryTree(["f": .pattern(1238 * 512 + 1)]))
        }
    }

    @Test("reading on costs one question for a block, and one for each indirect block on the way")
    func questions() async throws {
        let blocks = MemoryBlocks()
        let (files, _) = try await published(MemoryTree(["f": .pattern(1238 * 512)]), in: blocks)
        let file = try await files.walk("/f")
        _ = blocks.takeAsked()
        _ = try await files.read(file, at: 0, count: 1238 * 512)
        let indirect = 1 + (1 + 10) + (1 + 10 + 100)
        #expect(blocks.takeAsked().count == 1238 + indirect)
        _ = try await files.read(file, at: 1237 * 512, count: 512)
        #expect(blocks.takeAsked().count == 4)
    }

    @Test("a file system shows what was published, also after something else was")
    func snapshot() async throws {
        let blocks = MemoryBlocks()
        let (old, publication) = try await published(MemoryTree(["f": .text("old")]), in: blocks)
        _ = try await Publisher(key: signingKey(), blockSize: 512).publish(
            MemoryTree(["f": .text("new")]), to: blocks, at: 1000, after: publication.version)
        let new = try await FileSystem.open(publication.name, from: blocks, seen: old.version)
        #expect(try await old.read(old.walk("/f"), at: 0, count: 9) == ByteBuffer(string: "old"))
        #expect(try await new.read(new.walk("/f"), at: 0, count: 9) == ByteBuffer(string: "new"))
        #expect(new.version == old.version + 1)
    }

    @Test("all that there is can be verified")
    func verification() async throws {
        let (files, publication) = try await published(Self.tree)
        let counts = try await files.verify()
        #expect(counts.files == publication.counts.files)
        #expect(counts.directories == publication.counts.directories)
        #expect(counts.links == publication.counts.links)
        #expect(counts.fileBytes == publication.counts.fileBytes)
        #expect(counts.blocks == publication.counts.blocks)
    }
}
