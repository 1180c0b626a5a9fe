import CFSFiles
import CFSNFS
import NFS3
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing

/// Goal: a client that knows RFC 1813 reads a file system, and whatever else it asks is refused as the RFC says.
struct NFSServerTests {
    private static let tree = Tree(
        files: ["/a": 3, "/sub/b": 1000, "/sub/deep/c": 0], links: ["/link": "sub/b"])

    @Test("files, directories and links have their attributes")
    func attributes() async throws {
        try await Publication(Self.tree).withClient { client in
            let root = try await client.attributes(client.mount())
            #expect(root.type == .directory && root.mode == 0o555)
            let file = try await client.attributes(client.find("sub", "b"))
            #expect(file.type == .regular && file.mode == 0o444 && file.size == 1000)
            #expect(file.modified == NFSTime(seconds: 1_000_000_000, nanoseconds: 5))
            #expect(file.fileSystem == root.fileSystem && file.fileID != root.fileID)
            let link = try await client.find("link")
            #expect(try await client.attributes(link).type == .link)
            let target = try await client.rpc.call(NFS.readLink, link).get().target
            #expect(target == NFSName("sub/b"))
            let notLink = try await client.find("a")
            await expectStatus(.invalid) { try await client.rpc.call(NFS.readLink, notLink).get() }
        }
    }

    @Test("any directory is mounted, and nothing else")
    func mounting() async throws {
        try await Publication(Self.tree).withClient { client in
            let sub = try await client.mount("/sub")
            let byName = try await client.find("sub")
            #expect(sub == byName)
            for (path, status) in [("/none", Mount.Status.noEntry), ("/a", .notDirectory), ("/a/b", .notDirectory)] {
                let answer = try await client.rpc.call(Mount.mount, Mount.Path(path))
                #expect(answer == .failed(status))
            }
            let exports = try await client.rpc.call(Mount.exports)
            #expect(exports.items.map(\.path) == [Mount.Path("/")])
            _ = try await client.rpc.call(Mount.unmount, Mount.Path("/"))
            _ = try await client.rpc.call(Mount.unmountAll)
            let mounts = try await client.rpc.call(Mount.dump)
            #expect(mounts.items.isEmpty)
            _ = try await client.rpc.call(NFS.program.null)
        }
    }

    @Test("dots lead to the directory itself and to the one above, at the root to the root")
    func dots() async throws {
        try await Publication(Self.tree).withClient { client in
            let root = try await client.mount()
            for names in [[".", ".."], ["sub", ".."], ["sub", "deep", "..", ".."], ["sub", ".", ".."]] {
                var handle = root
                for name in names { handle = try await client.lookUp(name, in: handle).file }
                #expect(handle == root, "\(names)")
            }
        }
    }

    @Test("names that no file can have are refused, and those that none has")
    func names() async throws {
        try await Publication(Self.tree).withClient { client in
            let root = try await client.mount()
            let long = String(repeating: "x", count: 255)
            for (name, status) in [
                ("none", NFSStatus.noEntry), ("sub/b", .invalid), ("", .invalid), ("a\0", .invalid), (long, .noEntry),
                (long + "x", .nameTooLong), (String(repeating: "x", count: 4096), .nameTooLong), ("/", .invalid),
            ] {
                await expectStatus(status) { try await client.lookUp(name, in: root) }
            }
            let file = try await client.find("a")
            await expectStatus(.notDirectory) { try await client.lookUp("b", in: file) }
            let error = await #expect(throws: RPCError.self) {
                try await client.rpc.call(Self.rawLookUp, RawName(length: 4097))
            }
            #expect(error?.code == .refused(.garbageArguments))
        }
    }

    private static let rawLookUp = RPCProcedure<RawName, XDRVoid>(NFS.program, 3, "LOOKUP")

    /// An empty handle, and a name that is longer than it may be.
    private struct RawName: XDRCodable {
        let length: Int

        init(length: Int) { self.length = length }

        init(from reader: inout XDRReader) throws(XDRError) { length = 0 }

        func write(to writer: inout XDRWriter) throws(XDRError) {
            try writer.writeOpaque(ByteBuffer())
            try writer.writeOpaque(ByteBuffer(repeating: 0x78, count: length))
        }
    }

    @Test("what lies behind the end of a file is nothing, and the end is told")
    func ends() async throws {
        try await Publication(Self.tree).withClient { client in
            let file = try await client.find("sub", "b")
            for (offset, count, got, isEnd) in [
                (0, 1000, 1000, true), (0, 999, 999, false), (999, 10, 1, true), (1000, 10, 0, true),
                (1 << 40, 10, 0, true), (UInt64.max, .max, 0, true), (500, 0, 0, false), (1000, 0, 0, true),
            ] as [(UInt64, UInt32, Int, Bool)] {
                let answer = try await client.read(file, at: offset, count)
                #expect(answer.data.readableBytes == got && answer.isEnd == isEnd, "\(count) at \(offset)")
            }
            let empty = try await client.read(client.find("sub", "deep", "c"), at: 0, 10)
            #expect(empty.isEnd && empty.count == 0)
            let directory = try await client.find("sub")
            await expectStatus(.isDirectory) { try await client.read(directory, at: 0, 1) }
            let link = try await client.find("link")
            await expectStatus(.invalid) { try await client.read(link, at: 0, 1) }
        }
    }

    @Test(
        "files are right through direct, single, double and triple indirect blocks, and at their borders",
        arguments: [128, 129, 138, 139, 238, 239, 1238])
    func indirection(blockCount: Int) async throws {
        let size = blockCount * 512 - 1
        try await Publication(Tree(files: ["/big": size])).withClient { client in
            let file = try await client.find("big")
            let whole = try await client.readAll(file, by: 65_536)
            #expect(whole == pattern(0..<size))
            // Across the end of what each level names.
            for border in [128, 138, 238].map({ $0 * 512 }) where border + 300 < size {
                let part = try await client.read(file, at: UInt64(border - 300), 600)
                #expect(part.data == pattern(border - 300..<border + 300))
            }
        }
    }

    @Test("a directory comes in slices, whole and in its order", arguments: [180, 512, 65_536] as [UInt32])
    func slices(count: UInt32) async throws {
        let names = (0..<200).map { "file-\($0)" }
        let publication = try await Publication(
            Tree(files: Dictionary(uniqueKeysWithValues: names.map { ("/d/" + $0, 1) })))
        try await publication.withClient { client in
            let directory = try await client.find("d")
            let (entries, slices) = try await client.list(directory, by: count)
            #expect(entries.map(\.name) == ([".", ".."] + names.sorted()).map { NFSName($0) })
            #expect(slices == (count == 65_536 ? 1 : count == 512 ? 17 : 101))
            let ids = [
                try await client.attributes(directory).fileID, try await client.attributes(client.mount()).fileID,
            ]
            #expect(entries.prefix(2).map(\.fileID) == ids)
            let third = try await client.lookUp("file-0", in: directory).file
            #expect(try await client.attributes(third).fileID == entries[2].fileID)
        }
    }

    @Test("cookies of nowhere are refused, and slices with room for nothing")
    func cookies() async throws {
        try await Publication(Self.tree).withClient { client in
            let root = try await client.mount()
            func list(_ cookie: UInt64, _ verifier: UInt64, _ count: UInt32) async throws
                -> NFS.DirectoryAnswer<
                    NFS.DirectoryName
                >
            {
                try await client.rpc.call(
                    NFS.readDirectory,
                    NFS.DirectoryQuestion(directory: root, cookie: cookie, verifier: verifier, count: count)
                ).get()
            }
            let verifier = try await list(0, 0, 4096).verifier
            let last = try await list(5, verifier, 4096)
            #expect(last.isEnd && last.entries.isEmpty)
            await expectStatus(.badCookie) { try await list(6, verifier, 4096) }
            await expectStatus(.badCookie) { try await list(.max, verifier, 4096) }
            await expectStatus(.badCookie) { try await list(1, verifier &+ 1, 4096) }
            await expectStatus(.tooSmall) { try await list(0, 0, 100) }
            await expectStatus(.tooSmall) { try await list(0, 0, 0) }
            let file = try await client.find("a")
            await expectStatus(.notDirectory) {
                try await client.rpc.call(
                    NFS.readDirectory, NFS.DirectoryQuestion(directory: file, cookie: 0, verifier: 0, count: 4096)
                ).get()
            }
        }
    }

    @Test("a directory comes with handles and attributes, and what is missing hides nothing else")
    func plus() async throws {
        let publication = try await Publication(Self.tree)
        let files = try await FileSystem.open(publication.publisher.name, from: publication.blocks)
        publication.blocks.put(nil, for: try await files.walk("/a").handle)
        try await publication.withClient { client in
            let root = try await client.mount()
            let question = NFS.DirectoryPlusQuestion(
                directory: root, cookie: 0, verifier: 0, namesCount: 4096, count: 4096)
            let answer = try await client.rpc.call(NFS.readDirectoryPlus, question).get()
            #expect(answer.isEnd)
            #expect(answer.entries.map(\.name) == [".", "..", "a", "link", "sub"].map { NFSName($0) })
            let sub = try #require(answer.entries.last)
            let found = try await client.lookUp("sub", in: root)
            #expect(sub.file == found.file && sub.attributes == found.attributes)
            #expect(sub.attributes.attributes?.fileID == sub.fileID)
            #expect(answer.entries[2].file == nil)
            var small = question
            small.count = 300
            let some = try await client.rpc.call(NFS.readDirectoryPlus, small).get()
            #expect(!some.isEnd && some.entries.count == 1)
            small.namesCount = 10
            await expectStatus(.tooSmall) { try await client.rpc.call(NFS.readDirectoryPlus, small).get() }
        }
    }

    @Test("callers hear what they may do, and what the server can")
    func abilities() async throws {
        try await Publication(Self.tree).withClient { client in
            let root = try await client.mount()
            let all = NFS.Access(rawValue: 0x3F)
            var rights = try await client.rpc.call(NFS.access, NFS.AccessQuestion(file: root, rights: all)).get().rights
            #expect(rights == [.read, .lookUp, .execute])
            let file = try await client.find("a")
            rights = try await client.rpc.call(NFS.access, NFS.AccessQuestion(file: file, rights: all)).get().rights
            #expect(rights == .read)
            let info = try await client.rpc.call(NFS.abilities, root).get()
            #expect(info.readMax == 512 * 1024 && info.properties == [.symbolicLinks, .isHomogeneous])
            let paths = try await client.rpc.call(NFS.pathLimits, root).get()
            #expect(paths.nameBytesMax == 255 && paths.refusesLongNames)
            let room = try await client.rpc.call(NFS.room, root).get()
            #expect(room.totalBytes == 0)
        }
    }

    @Test("whatever would change something is refused: the file system can only be read")
    func changes() async throws {
        try await Publication(Self.tree).withClient { client in
            let root = try await client.mount()
            let file = try await client.find("a")
            let entry = NFS.DirectoryEntry(root, NFSName("new"))
            let new = NFS.NewAttributes(
                mode: nil, user: nil, group: nil, size: 0, accessed: .unchanged, modified: .serverTime)
            let rpc = client.rpc
            let node = try XDRReader.readAll(
                try XDRWriter.bytes(of: NFS.Pair(entry, UInt32(7))) + XDRWriter.bytes(of: new), as: NFS.MakeNode.self)
            let statuses = [
                try await rpc.call(
                    NFS.setAttributes, NFS.SetAttributes(file: file, attributes: new, guardTime: nil)
                ).status,
                try await rpc.call(
                    NFS.write,
                    NFS.Write(file: file, offset: 0, count: 1, stability: .file, data: ByteBuffer(string: "x"))
                ).status,
                try await rpc.call(NFS.create, NFS.Create(entry: entry, how: .unchecked(new))).status,
                try await rpc.call(NFS.makeDirectory, NFS.MakeDirectory(entry: entry, attributes: new)).status,
                try await rpc.call(NFS.makeLink, NFS.MakeLink(entry: entry, attributes: new, target: NFSName("a")))
                    .status,
                try await rpc.call(NFS.makeNode, node).status,
                try await rpc.call(NFS.remove, entry).status, try await rpc.call(NFS.removeDirectory, entry).status,
                try await rpc.call(NFS.rename, NFS.Rename(from: entry, to: entry)).status,
                try await rpc.call(NFS.link, NFS.Link(file: file, entry: entry)).status,
                try await rpc.call(NFS.commit, NFS.Commit(file: file, offset: 0, count: 0)).status,
            ]
            #expect(statuses == Array(repeating: .readOnly, count: 11))
        }
    }
}

private func + (first: ByteBuffer, second: ByteBuffer) -> ByteBuffer {
    var both = first
    both.writeImmutableBuffer(second)
    return both
}
