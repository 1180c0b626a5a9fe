import CFSBlocks
import CFSFiles
import CFSModel
import NIOCore
import Testing

/// Goal: what was published before stays within reach by its date, under the signature of the present root, as directories
/// that need no reader of their own.
struct SnapshotTests {
    /// Publishes versions of a file, one every hundred seconds, and opens the last.
    private func publish(
        _ texts: [String], in blocks: MemoryBlocks = MemoryBlocks(), keep: Int = 10
    ) async throws -> FileSystem<MemoryBlocks> {
        let publisher = try Publisher(key: signingKey(), blockSize: 512)
        var previous: FileSystem<MemoryBlocks>?
        for (index, text) in texts.enumerated() {
            let tree = MemoryTree(["file": .text(text), "same": .directory(["x": .text("x")])])
            var history: SnapshotHistory?
            if let previous { history = try await SnapshotHistory(following: previous, keep: keep) }
            _ = try await publisher.publish(
                tree, to: blocks, at: UInt32(1000 + 100 * index), after: previous?.version, keeping: history)
            previous = try await FileSystem.open(publisher.name, from: blocks)
        }
        return try #require(previous)
    }

    private func text(_ files: FileSystem<MemoryBlocks>, _ path: String) async throws -> String {
        let bytes = try await files.read(files.walk(path), at: 0, count: 100)
        return String(decoding: bytes.readableBytesView, as: UTF8.self)
    }

    @Test("earlier publications are listed by their dates, the latest first")
    func list() async throws {
        let files = try await publish(["one", "two", "three"])
        let snapshots = try await files.snapshots()
        #expect(snapshots.map(\.version) == [1100, 1000])
        #expect(snapshots.map(\.date) == ["1970-01-01T00:18:20Z", "1970-01-01T00:16:40Z"])
        let first = try await publish(["one"])
        #expect(try await first.snapshots().isEmpty)
    }

    @Test("a snapshot is read by its path, and as a file system")
    func read() async throws {
        let files = try await publish(["one", "two", "three"])
        #expect(try await text(files, "/file") == "three")
        #expect(try await text(files, "/.snapshots/1970-01-01T00:16:40Z/file") == "one")
        for (second, expected) in [
            (1000, "one"), (1099, "one"), (1100, "two"), (1199, "two"), (1200, "three"), (9999, "three"),
        ] {
            let earlier = try await files.asOf(FileTime(seconds: UInt32(second)))
            #expect(try await text(earlier, "/file") == expected)
        }
        await expectError(.noSnapshot("1970-01-01T00:16:39Z")) { try await files.asOf(FileTime(seconds: 999)) }
    }

    @Test("snapshots do not lie within each other, and cost what has changed")
    func shape() async throws {
        let blocks = MemoryBlocks()
        let files = try await publish(["one", "two"], in: blocks)
        let before = blocks.blocks.count
        _ = try await publish(["one", "two", "three"], in: blocks)
        let earlier = try await files.asOf(FileTime(seconds: 1000))
        #expect(try await earlier.list(earlier.root).map(\.name.description) == [".", "..", "file", "same"])
        // The file's bytes and inode; the snapshot's block and inode, two of their directory, two of the root.
        #expect(blocks.blocks.count - before == 8)
        let counts = try await publish(["one", "two", "three"]).verify()
        // Three roots, one directory that is in all of them, and the one of the snapshots.
        #expect(counts.directories == 5)
        #expect(counts.files == 4)
    }

    @Test("to publish the same again keeps no snapshot of it")
    func unchanged() async throws {
        let files = try await publish(["one", "two", "two", "two"])
        #expect(try await files.snapshots().map(\.version) == [1000])
        #expect(try await text(files, "/file") == "two")
    }

    @Test("no more are kept than the publisher says, and none if he says so", arguments: [0, 1, 3])
    func keep(count: Int) async throws {
        let files = try await publish(["1", "2", "3", "4", "5", "6"], keep: count)
        #expect(try await files.snapshots().map(\.version) == Array([1400, 1300, 1200].prefix(count)))
        #expect(try await files.list(files.root).contains { $0.name == .snapshots } == (count > 0))
    }

    @Test("a tree that has a directory of that name itself is not published")
    func reserved() async throws {
        await expectError(.badEntry(.snapshots)) { try await published(MemoryTree([".snapshots": .directory([:])])) }
        // Elsewhere it is a name like any other.
        _ = try await published(MemoryTree(["a": .directory([".snapshots": .directory([:])])]))
    }

    @Test("snapshots have blocks of the same size as the present files")
    func blockSize() async throws {
        let blocks = MemoryBlocks()
        let history = try await SnapshotHistory(following: publish(["one"], in: blocks))
        await expectError(.badBlockSize(1024)) {
            try await Publisher(key: signingKey(), blockSize: 1024)
                .publish(MemoryTree([:]), to: blocks, at: 2000, after: 1000, keeping: history)
        }
    }

    @Test("what nobody vouches for any more is refused, and what nobody vouches for yet")
    func expiry() async throws {
        let blocks = MemoryBlocks()
        let publisher = try Publisher(key: signingKey(), duration: 60)
        _ = try await publisher.publish(MemoryTree([:]), to: blocks, at: 1000)
        for now in [700, 1000, 1059] as [UInt64] {
            _ = try await FileSystem.open(publisher.name, from: blocks, at: now)
        }
        await expectError(.expired(1060), at: publisher.name) {
            try await FileSystem.open(publisher.name, from: blocks, at: 1060)
        }
        await expectError(.early(1000), at: publisher.name) {
            try await FileSystem.open(publisher.name, from: blocks, at: 699)
        }
    }

    @Test(
        "seconds have dates",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_096_545_600, "2004-09-30T12:00:00Z"),
            (68_169_599, "1972-02-28T23:59:59Z"), (68_169_600, "1972-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (.max, "2106-02-07T06:28:15Z"),
        ] as [(UInt32, String)])
    func dates(seconds: UInt32, text: String) {
        #expect("\(FileTime(seconds: seconds))" == text)
        #expect(FileTime(text) == FileTime(seconds: seconds))
    }

    @Test(
        "what is no date has no second",
        arguments: [
            "", "2004-09-31T12:00:00Z", "2003-02-29T00:00:00Z", "2004-13-01T00:00:00Z", "2004-00-01T00:00:00Z",
            "2004-09-30T24:00:00Z", "2004-09-30 12:00:00Z", "2004-09-30T12:00:00", "1969-12-31T23:59:59Z",
            "2106-02-07T06:28:16Z", "+004-09-30T12:00:00Z", "9999-99-99T99:99:99Z", "ßßßßßßßßßßx",
        ])
    func noDates(text: String) { #expect(FileTime(text) == nil) }

    @Test("days of a century and a half have dates in their order, which lead back to them")
    func days() {
        var wrong: [Int] = []
        var last = ""
        // Eleven days on, so that each day of each month comes some time.
        for day in stride(from: 0, to: 49_710, by: 11) {
            let time = FileTime(seconds: UInt32(day) * 86_400)
            let date = "\(time)"
            if date <= last || FileTime(date) != time { wrong.append(day) }
            last = date
        }
        #expect(wrong.isEmpty)
    }
}
