import NFS3
import NIOCore
import ONCRPC
import Testing

/// Goal: messages of NFS are those of RFC 1813, byte by byte; what is none is refused, at every length.
struct MessageTests {
    private static func handle(_ text: String) -> NFSHandle { NFSHandle(ByteBuffer(string: text)) }

    private static func attributes() -> NFSAttributes {
        NFSAttributes(
            .regular, mode: 0o444, linkCount: 1, user: 2, group: 3, size: 4, used: 5, fileSystem: 6, fileID: 7,
            accessed: NFSTime(seconds: 8), modified: NFSTime(seconds: 9, nanoseconds: 10), changed: NFSTime(seconds: 11)
        )
    }

    private static let attributeWords = """
        00000001 00000124 00000001 00000002 00000003 00000000 00000004 00000000 00000005 00000000 00000000 \
        00000000 00000006 00000000 00000007 00000008 00000000 00000009 0000000a 0000000b 00000000
        """

    /// Reads them back, refuses every beginning of them, and one word more.
    private func check<Value: XDRCodable & Equatable>(_ value: Value, _ words: String) throws {
        let bytes = try XDRWriter.bytes(of: value)
        #expect(bytes == hex(words))
        let again = try XDRReader.readAll(bytes, as: Value.self)
        #expect(again == value)
        for count in 0..<bytes.readableBytes {
            let beginning = try #require(bytes.getSlice(at: 0, length: count))
            #expect(throws: XDRError.self) { try XDRReader.readAll(beginning, as: Value.self) }
        }
        var more = bytes
        more.writeInteger(0, as: UInt32.self)
        #expect(throws: XDRError.self) { try XDRReader.readAll(more, as: Value.self) }
    }

    @Test("attributes are 84 bytes")
    func attributes() throws {
        try check(Self.attributes(), Self.attributeWords)
        try check(
            NFSResult<NFSAttributes, XDRVoid>.done(Self.attributes()), "00000000 " + Self.attributeWords)
        try check(NFSResult<NFSAttributes, XDRVoid>.failed(.stale, XDRVoid()), "00000046")
    }

    @Test("a name is looked up in a directory")
    func lookUp() throws {
        try check(
            NFS.DirectoryEntry(Self.handle("abcde"), NFSName("x")), "00000005 61626364 65000000 00000001 78000000")
        try check(
            NFSResult<NFS.Found, NFSAfter>.done(
                NFS.Found(file: Self.handle("abcd"), attributes: NFSAfter(), directory: NFSAfter(Self.attributes()))),
            "00000000 00000004 61626364 00000000 00000001 " + Self.attributeWords)
        try check(NFSResult<NFS.Found, NFSAfter>.failed(.noEntry, NFSAfter()), "00000002 00000000")
    }

    @Test("bytes are read")
    func read() throws {
        try check(
            NFS.ReadQuestion(file: Self.handle("abcd"), offset: 1 << 32, count: 9),
            "00000004 61626364 00000001 00000000 00000009")
        try check(
            NFSResult<NFS.ReadAnswer, NFSAfter>.done(
                NFS.ReadAnswer(file: NFSAfter(), count: 3, isEnd: true, data: ByteBuffer(string: "xyz"))),
            "00000000 00000000 00000003 00000001 00000003 78797a00")
    }

    @Test("a directory is a list, with handles and attributes or without")
    func directories() throws {
        let entries = [NFS.DirectoryName(fileID: 1, name: NFSName("a"), cookie: 2)]
        try check(
            NFS.DirectoryAnswer(directory: NFSAfter(), verifier: 7, entries: entries, isEnd: true),
            "00000000 00000000 00000007 00000001 00000000 00000001 00000001 61000000 00000000 00000002 00000000 00000001"
        )
        let plus = [
            NFS.DirectoryNamePlus(
                fileID: 1, name: NFSName("a"), cookie: 2, attributes: NFSAfter(), file: Self.handle("abcd"))
        ]
        try check(
            NFS.DirectoryAnswer(directory: NFSAfter(), verifier: 7, entries: plus, isEnd: false),
            """
            00000000 00000000 00000007 00000001 00000000 00000001 00000001 61000000 00000000 00000002 00000000 \
            00000001 00000004 61626364 00000000 00000000
            """)
    }

    @Test("what changes something is understood, to be refused")
    func changes() throws {
        let file = Self.handle("abcd")
        let entry = NFS.DirectoryEntry(file, NFSName("x"))
        let new = NFS.NewAttributes(
            mode: 0o644, user: nil, group: nil, size: 0, accessed: .serverTime, modified: .at(NFSTime(seconds: 5)))
        let newWords =
            "00000001 000001a4 00000000 00000000 00000001 00000000 00000000 00000001 00000002 00000005 00000000"
        let entryWords = "00000004 61626364 00000001 78000000"
        try check(
            NFS.SetAttributes(file: file, attributes: new, guardTime: nil), "00000004 61626364 \(newWords) 00000000")
        try check(
            NFS.Write(file: file, offset: 1, count: 2, stability: .file, data: ByteBuffer(string: "xy")),
            "00000004 61626364 00000000 00000001 00000002 00000002 00000002 78790000")
        try check(NFS.Create(entry: entry, how: .guarded(new)), "\(entryWords) 00000001 \(newWords)")
        try check(NFS.Create(entry: entry, how: .exclusive(3)), "\(entryWords) 00000002 00000000 00000003")
        try check(NFS.MakeDirectory(entry: entry, attributes: new), "\(entryWords) \(newWords)")
        try check(
            NFS.MakeLink(entry: entry, attributes: new, target: NFSName("t")),
            "\(entryWords) \(newWords) 00000001 74000000")
        try check(NFS.Rename(from: entry, to: entry), "\(entryWords) \(entryWords)")
        try check(NFS.Link(file: file, entry: entry), "00000004 61626364 \(entryWords)")
        try check(NFS.Commit(file: file, offset: 1, count: 2), "00000004 61626364 00000000 00000001 00000002")
        for (words, isNode) in [
            ("00000003 \(newWords) 00000001 00000002", true), ("00000006 \(newWords)", true), ("00000002", true),
            ("00000009", false),
        ] {
            let bytes = hex("\(entryWords) \(words)")
            let node = try? XDRReader.readAll(bytes, as: NFS.MakeNode.self)
            #expect((node != nil) == isNode)
            if let node { try check(node, "\(entryWords) \(words)") }
        }
        try check(NFSRefusal(.readOnly, NFSChange()), "0000001e 00000000 00000000")
        #expect(throws: XDRError.self) {
            try XDRReader.readAll(hex("00000000 00000000 00000000"), as: NFSRefusal<NFSChange>.self)
        }
        #expect(throws: XDRError.self) { try XDRWriter.bytes(of: NFSRefusal(.ok, NFSChange())) }
    }

    @Test("a directory is mounted, and exports are listed")
    func mounting() throws {
        try check(Mount.Path("/a"), "00000002 2f610000")
        try check(
            Mount.Answer.mounted(Self.handle("abcd"), flavors: [1]), "00000000 00000004 61626364 00000001 00000001")
        try check(Mount.Answer.failed(.noEntry), "00000002")
        try check(Mount.Exports([Mount.Exports.Item(Mount.Path("/"))]), "00000001 00000001 2f000000 00000000 00000000")
        try check(Mount.Mounts([]), "00000000")
    }

    @Test("handles of 65 bytes, names of 4097 and data beyond 1 MiB are refused before they are read")
    func lengths() {
        #expect(throws: XDRError(.tooLong(count: 65, max: 64), at: 0)) {
            try XDRReader.readAll(hex("00000041"), as: NFSHandle.self)
        }
        #expect(throws: XDRError(.tooLong(count: 4097, max: 4096), at: 0)) {
            try XDRReader.readAll(hex("00001001"), as: NFSName.self)
        }
        #expect(throws: XDRError(.tooLong(count: 0x7FFF_FFFF, max: 1_048_576), at: 12)) {
            try XDRReader.readAll(hex("00000000 00000001 00000000 7fffffff"), as: NFS.ReadAnswer.self)
        }
    }
}

/// Bytes from hexadecimal digits, spaces between them as one likes.
func hex(_ text: String) -> ByteBuffer {
    let digits = Array(text.utf8.filter { $0 > 0x20 })
    return ByteBuffer(
        bytes: stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        })
}
