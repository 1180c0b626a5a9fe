import CFSFiles
import CFSNFS
import NFS3
import NIOCore
import ONCRPCSockets
import Synchronization
import Testing

/// Goal: a handle means one thing for ever, or says that it does no more; nobody can make one.
struct HandleTests {
    private static let tree = Tree(files: ["/a": 3, "/sub/b": 1000])

    @Test("handles outlive the server")
    func restart() async throws {
        let publication = try await Publication(Self.tree)
        var handles: [NFSHandle] = []
        try await publication.withClient { client in
            handles = [try await client.mount(), try await client.find("sub"), try await client.find("sub", "b")]
        }
        try await publication.withClient { client in
            let again = [try await client.mount(), try await client.find("sub"), try await client.find("sub", "b")]
            #expect(again == handles)
            let bytes = try await client.readAll(handles[2], by: 300)
            #expect(bytes == pattern(0..<1000))
        }
    }

    @Test("handles that were changed, made by another server, or of another file system are stale; others are none")
    func foreign() async throws {
        let publication = try await Publication(Self.tree)
        var file = NFSHandle(ByteBuffer())
        try await publication.withClient { file = try await $0.find("a") }
        try await publication.withClient { client in
            let right = Array(file.bytes.readableBytesView)
            for index in right.indices {
                var wrong = right
                wrong[index] ^= 1
                await expectStatus(.stale) { try await client.attributes(NFSHandle(ByteBuffer(bytes: wrong))) }
            }
            for wrong in [[], Array(right.dropLast()), right + [0], [9] + right.dropFirst()] {
                await expectStatus(.badHandle) { try await client.attributes(NFSHandle(ByteBuffer(bytes: wrong))) }
            }
            let other = NFSHandle(ByteBuffer(repeating: 0xFF, count: 64))
            await expectStatus(.badHandle) { try await client.lookUp("a", in: other) }
            await expectStatus(.badHandle) { try await client.read(other, at: 0, 1) }
        }
        try await publication.withClient(secret: "another") { client in
            await expectStatus(.stale) { try await client.attributes(file) }
        }
        try await Publication(Self.tree, key: 2).withClient { client in
            await expectStatus(.stale) { try await client.attributes(file) }
        }
    }

    @Test("a file that nobody keeps any more is stale; one whose bytes are missing or wrong is an error of the device")
    func gone() async throws {
        let publication = try await Publication(Self.tree)
        let files = try await FileSystem.open(publication.publisher.name, from: publication.blocks)
        let found = try await files.walk("/sub/b")
        guard case .regular(let map) = found.inode.contents else { return }
        let first = try #require(map.direct[0])
        try await publication.withClient { client in
            let file = try await client.find("sub", "b")
            publication.blocks.put(ByteBuffer(string: "lies"), for: first)
            await expectStatus(.io) { try await client.read(file, at: 0, 10) }
            let second = try await client.read(file, at: 512, 10)
            #expect(second.data == pattern(512..<522))
            publication.blocks.put(nil, for: first)
            await expectStatus(.io) { try await client.read(file, at: 0, 10) }
            publication.blocks.put(nil, for: found.handle)
            await expectStatus(.stale) { try await client.attributes(file) }
        }
    }

    @Test("the root shows what is published anew; files that are open stay as they were")
    func republication() async throws {
        let publication = try await Publication(Self.tree)
        try await publication.withClient { client in
            let root = try await client.mount()
            let old = try await client.find("sub", "b", from: root)
            let before = try await client.attributes(root)
            let (_, verifier) = (
                0,
                try await client.rpc.call(
                    NFS.readDirectory, NFS.DirectoryQuestion(directory: root, cookie: 0, verifier: 0, count: 4096)
                ).get().verifier
            )
            try await publication.publish(Tree(files: ["/new": 1, "/sub/b": 7]), at: 1001)
            publication.elapsed.withLock { $0 += .seconds(29) }
            await expectStatus(.noEntry) { try await client.find("new", from: root) }
            publication.elapsed.withLock { $0 += .seconds(2) }
            _ = try await client.find("new", from: root)
            await expectStatus(.noEntry) { try await client.find("a", from: root) }
            let new = try await client.find("sub", "b", from: root)
            let sizes = [try await client.attributes(old).size, try await client.attributes(new).size]
            #expect(sizes == [1000, 7])
            let bytes = try await client.readAll(old, by: 1000)
            #expect(bytes == pattern(0..<1000))
            let after = try await client.attributes(root)
            #expect(after.fileID == before.fileID)
            await expectStatus(.badCookie) {
                try await client.rpc.call(
                    NFS.readDirectory,
                    NFS.DirectoryQuestion(directory: root, cookie: 1, verifier: verifier, count: 4096)
                ).get()
            }
        }
    }

    @Test("what its publisher does not vouch for any more is stale, until he publishes again")
    func expiry() async throws {
        let publication = try await Publication(Self.tree)
        try await publication.withClient { client in
            let root = try await client.mount()
            publication.day.withLock { $0 = 2000 }
            await expectStatus(.stale) { try await client.attributes(root) }
            try await publication.publish(Self.tree, at: 2000)
            _ = try await client.attributes(root)
        }
    }

    @Test("while blocks are out of reach callers are asked to come again")
    func outOfReach() async throws {
        let publication = try await Publication(Self.tree)
        try await publication.withClient { client in
            let root = try await client.mount()
            let file = try await client.find("a")
            publication.blocks.isReachable = false
            // What was opened is good for longer than its time if nobody can be asked.
            publication.elapsed.withLock { $0 += .seconds(100) }
            await expectStatus(.later) { try await client.read(file, at: 0, 3) }
            await expectStatus(.later) { try await client.find("sub", from: root) }
            publication.blocks.isReachable = true
            let bytes = try await client.readAll(file, by: 3)
            #expect(bytes == pattern(0..<3))
        }
    }
}
