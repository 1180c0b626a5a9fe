import CFSFiles
import CFSModel
import NIOCore
import ONCRPC
import Testing

/// Goal: blocks are byte for byte those of CFS 2004, `sfsro_prot_cfs.x`. Method: the bytes were put together from the
/// declarations by another program, which knows XDR and SHA-1 only.
struct FormatTests {
    private static let first = "0102030405060708090a0b0c0d0e0f1011121314"
    private static let second = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfe0102030405"
    private static let none = "0000000000000000000000000000000000000000"

    private static func vectors() throws -> [(FileBlock, String)] {
        let first = try #require(ChordID(first))
        let second = try #require(ChordID(second))
        let (early, late) = (FileTime(seconds: 11), FileTime(seconds: 13))
        let link = Inode(
            path: Array("/l".utf8), linkCount: 1, modified: FileTime(seconds: 11, nanoseconds: 12),
            changed: FileTime(seconds: 13, nanoseconds: 14), contents: .link(target: Array("../a".utf8)))
        let executable = Inode(
            path: Array("/bin/x".utf8), linkCount: 2, modified: early, changed: late,
            contents: .executable(BlockMap(size: 5, direct: [first])))
        let big = Inode(
            path: Array("/b".utf8), linkCount: 1, modified: early, changed: early,
            contents: .regular(
                BlockMap(size: 1 << 32, direct: [first, second], indirect: second, tripleIndirect: first)))
        let directory = Directory([
            Directory.Entry(.itself, inode: nil, fileID: 4_758_505_227_452_278_079),
            Directory.Entry(.parent, inode: nil, fileID: TreePath.root.fileID),
            Directory.Entry(try name("a"), inode: first, fileID: TreePath.root.appending(try name("a")).fileID),
        ])
        let info = FileSystemInfo(start: 1_100_000_000, duration: 86_400, root: second, blockSize: 8192)
        let smallRoot = FileSystemInfo(start: 1, duration: 2, root: ChordID(0x7F), blockSize: 512)
        let bigMap = "00000002 \(Self.first) \(Self.second) \(Self.second) \(none) \(Self.first)"
        return [
            (.data(ByteBuffer(string: "hello")), "00000001 00000005 68656c6c 6f000000"),
            (.data(ByteBuffer()), "00000001 00000000"),
            (
                .inode(link),
                "00000000 00000005 00000002 2f6c0000 00000001 0000000b 0000000c 0000000d 0000000e 00000004 2e2e2f61"
            ),
            (
                .inode(executable),
                """
                00000000 00000002 00000006 2f62696e 2f780000 00000002 00000000 00000005 00000000 00000005
                0000000b 00000000 0000000d 00000000 00000001 \(Self.first) \(none) \(none) \(none)
                """
            ),
            (
                .inode(big),
                """
                00000000 00000001 00000002 2f620000 00000001 00000001 00000000 00000001 00000000
                0000000b 00000000 0000000b 00000000 \(bigMap)
                """
            ),
            (
                .directory(directory),
                """
                00000002 00000001 \(none) 42099b4a f021e53f 00000001 2e000000
                00000001 \(none) 42099b4a f021e53f 00000002 2e2e0000
                00000001 \(Self.first) 2256c6ac 80d3eb26 00000001 61000000
                00000000 00000001
                """
            ),
            (.indirect([first, second, nil]), "00000003 00000003 \(Self.first) \(Self.second) \(none)"),
            (
                .root(info),
                "00000004 4190ab00 00015180 00000018 00000000 \(Self.second) 00002000"
            ),
            (.root(smallRoot), "00000004 00000001 00000002 00000004 0000007f 00000200"),
        ]
    }

    @Test("blocks are written and read as the historic programs do")
    func vectors() throws {
        for (block, bytes) in try Self.vectors() {
            #expect(try XDRWriter.bytes(of: block) == hex(bytes))
            #expect(try XDRReader.readAll(hex(bytes)) == block)
        }
    }

    @Test("a block that ends too early, or too late, is refused wherever it does")
    func truncated() throws {
        for (block, _) in try Self.vectors() {
            let bytes = try XDRWriter.bytes(of: block)
            for count in 0..<bytes.readableBytes {
                let part = try #require(bytes.getSlice(at: 0, length: count))
                #expect(throws: XDRError.self) { try XDRReader.readAll(part, as: FileBlock.self) }
            }
            var longer = bytes
            longer.writeInteger(UInt32(0))
            #expect(throws: XDRError(.trailingBytes(4), at: bytes.readableBytes)) {
                try XDRReader.readAll(longer, as: FileBlock.self)
            }
        }
    }

    @Test("a bit that is wrong gives another block, or an error, and what is read is written as the same")
    func damaged() throws {
        for (block, _) in try Self.vectors() {
            let bytes = try XDRWriter.bytes(of: block)
            for index in 0..<bytes.readableBytes * 8 {
                var damaged = Array(bytes.readableBytesView)
                damaged[index / 8] ^= 1 << UInt8(index % 8)
                guard let other = try? XDRReader.readAll(ByteBuffer(bytes: damaged), as: FileBlock.self) else {
                    continue
                }
                #expect(other != block)
                #expect(try XDRReader.readAll(XDRWriter.bytes(of: other), as: FileBlock.self) == other)
            }
        }
    }

    @Test(
        "garbage is refused",
        arguments: [
            // Numbers without a case: of a block, of an inode.
            "00000005", "ffffffff", "00000000 00000000", "00000000 00000006",
            // Lengths that nobody may claim: data, a path, direct blocks, names in an indirect block.
            "00000001 ffffffff", "00000001 00100000", "00000000 00000005 00001001", "00000003 00006667",
            // Directories: a name with a slash, an empty one, one with a zero, one of 256 bytes, no inode, no end.
            "00000002 00000001 \(first) 00000000 00000000 00000003 612f6200 00000000 00000001",
            "00000002 00000001 \(first) 00000000 00000000 00000000 00000000 00000001",
            "00000002 00000001 \(first) 00000000 00000000 00000002 61000000 00000000 00000001",
            "00000002 00000001 \(first) 00000000 00000000 00000100 \(String(repeating: "61", count: 256)) 00000000 00000001",
            "00000002 00000001 \(none) 00000000 00000000 00000001 61000000 00000000 00000001",
            "00000002 00000000 00000000", "00000002 00000002", "00000002 00000000 00000002",
            // Roots: blocks too small, too large, an id below zero.
            "00000004 00000001 00000002 00000004 0000007f 000001ff",
            "00000004 00000001 00000002 00000004 0000007f 00100000",
            "00000004 00000001 00000002 00000004 8000007f 00000200",
        ])
    func garbage(bytes: String) {
        #expect(throws: XDRError.self) { try XDRReader.readAll(hex(bytes), as: FileBlock.self) }
    }

    @Test("a directory with two entries of one name is neither read nor written")
    func twins() throws {
        let entry = "00000001 \(Self.first) 00000000 00000000 00000001 61000000"
        #expect(throws: XDRError(.invalid("two entries of one name"), at: 4)) {
            try XDRReader.readAll(hex("00000002 \(entry) \(entry) 00000000 00000001"), as: FileBlock.self)
        }
        let twin = Directory.Entry(try name("a"), inode: ChordID(1), fileID: 1)
        #expect(throws: XDRError.self) { try XDRWriter.bytes(of: FileBlock.directory(Directory([twin, twin]))) }
    }

    @Test("a block's name is the SHA-1 of its bytes")
    func names() throws {
        let block = try NamedBlock(.data(ByteBuffer(string: "hello")))
        #expect(block.name.description == "7aa2ddc99a189905eedca5c703e7e7504e60ee3e")
    }

    @Test("a file's number is of its path's SHA-1")
    func fileIDs() throws {
        let path = TreePath.root.appending(try name("a")).appending(try name("b"))
        #expect(path.description == "/a/b")
        #expect(path.fileID == 11_895_230_341_503_384_536)
        #expect(TreePath.root.parent == .root)
    }

    @Test("names are sorted by their bytes, without sign")
    func order() throws {
        let names = try ["é", "b", "a~", "a", "-", "..", "."].map { try name($0) }
        #expect(names.sorted().map(\.description) == ["-", ".", "..", "a", "a~", "b", "é"])
    }
}
