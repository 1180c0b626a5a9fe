import CFSBlocks
import CFSClient
import CFSFiles
import CFSMemoryGateway
import CFSModel
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing

/// Goal: file systems are published and read through a gateway that nobody has to trust.
struct GatewayBlocksTests {
    private static let tree = PatternTree(files: ["a": 70_000, "b": 3, "c": 512 * 140, "empty": 0])

    private func publish(_ client: GatewayClient, at now: UInt32 = 1000, after: UInt32? = nil) async throws
        -> Publication
    {
        try await Publisher(key: signingKey(), blockSize: 512)
            .publish(Self.tree, to: GatewayBlocks(client), at: now, after: after)
    }

    @Test("a tree is published and read back, in either form", arguments: GatewayForm.allCases)
    func roundTrip(form: GatewayForm) async throws {
        let gateway = MemoryGateway(form)
        try await withClient(of: gateway) { client in
            let publication = try await publish(client)
            let files = try await FileSystem.open(publication.name, from: GatewayBlocks(client))
            for (name, size) in Self.tree.files {
                let file = try await files.walk(name)
                var bytes = ByteBuffer()
                try await files.forEachBlock(of: file) { bytes.writeImmutableBuffer($0) }
                #expect(bytes == PatternTree.bytes(0..<size))
            }
            let counts = try await files.verify()
            #expect(counts.files == 4)
        }
    }

    @Test("equal blocks are brought once")
    func once() async throws {
        let gateway = MemoryGateway(.of2004)
        try await withClient(of: gateway) { client in
            let publication = try await publish(client)
            #expect(gateway.insertions == gateway.blocks.count)
            #expect(gateway.insertions < publication.counts.blocks)
        }
    }

    @Test("a block that several ask for at a time is fetched once, and then kept")
    func shared() async throws {
        let gateway = MemoryGateway(.of2004)
        let (name, bytes) = block("some bytes")
        gateway.put(bytes, for: name)
        try await withClient(of: gateway) { client in
            let blocks = GatewayBlocks(client)
            try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
                for _ in 0..<20 { group.addTask { try await blocks.block(name) } }
                for try await found in group { #expect(found == bytes) }
            }
            #expect(gateway.retrievals == 1)
            let again = try await blocks.block(name)
            #expect(again == bytes)
            #expect(gateway.retrievals == 1)
        }
    }

    @Test("a file is fetched ahead of its reader, and no block twice")
    func readAhead() async throws {
        let gateway = MemoryGateway(.of2008)
        try await withClient(of: gateway) { client in
            let publication = try await publish(client)
            let blocks = GatewayBlocks(client)
            let files = try await FileSystem.open(publication.name, from: blocks)
            let before = gateway.retrievals
            let file = try await files.walk("c")
            try await files.forEachBlock(of: file) { _ in }
            let counters = await blocks.counters
            // Root's inode and block, the file's inode, 140 blocks, and three indirect ones that name the last twelve.
            #expect(gateway.retrievals - before == 146)
            #expect(counters.fetched == 146)
            // Not those that nobody could know before, and the first ones behind them.
            #expect(counters.ahead == 139)
        }
    }

    @Test("a read that says that it goes on has the next blocks fetched")
    func ahead() async throws {
        let gateway = MemoryGateway(.of2008)
        try await withClient(of: gateway) { client in
            let publication = try await publish(client)
            let blocks = GatewayBlocks(client)
            let files = try await FileSystem.open(publication.name, from: blocks)
            let file = try await files.walk("a")
            _ = try await files.read(file, at: 0, count: 512)
            var counters = await blocks.counters
            #expect(counters.ahead == 0)
            _ = try await files.read(file, at: 512, count: 512, ahead: 8)
            counters = await blocks.counters
            #expect(counters.ahead == 8)
        }
    }

    @Test("a block that is not what its name says is refused, and not kept")
    func lies() async throws {
        let gateway = MemoryGateway(.of2004) { $0.isInsertion || $0.number > 0 ? .right : .lying }
        let (name, bytes) = block("some bytes")
        gateway.put(bytes, for: name)
        try await withClient(of: gateway) { client in
            let blocks = GatewayBlocks(client)
            let error = await #expect(throws: FileSystemError.self) { try await blocks.block(name) }
            #expect(error == FileSystemError(.wrongContent, block: name))
            let found = try await blocks.block(name)
            #expect(found == bytes)
            let counters = await blocks.counters
            #expect(counters.wrong == 1)
        }
    }

    @Test("a root whose signature is wrong is refused")
    func badRoot() async throws {
        let gateway = MemoryGateway(.of2004)
        try await withClient(of: gateway) { client in
            let name = try await publish(client).name
            var root = try #require(gateway.blocks[name])
            root.setInteger(UInt8(0xFF), at: root.readableBytes - 1)
            gateway.put(root, for: name)
            let error = await #expect(throws: FileSystemError.self) {
                try await FileSystem.open(name, from: GatewayBlocks(client))
            }
            #expect(error == FileSystemError(.badSignature, block: name))
        }
    }

    @Test("a root that is older than the one of the nodes is refused by them")
    func stale() async throws {
        let gateway = MemoryGateway(.of2004)
        try await withClient(of: gateway) { client in
            let name = try await publish(client).name
            let error = await #expect(throws: GatewayError.self) { try await publish(client, at: 999) }
            #expect(error?.code == .stale)
            // The very same one is there: as after an attempt whose answer was lost.
            let again = try await publish(client)
            #expect(again.name == name)
        }
    }

    @Test("a publication fails if one block does not arrive, and its root is not published")
    func losesOne() async throws {
        let gateway = MemoryGateway(.of2004) { $0.isInsertion && $0.number == 100 ? .failing(22) : .right }
        try await withClient(of: gateway) { client in
            let error = await #expect(throws: GatewayError.self) { try await publish(client) }
            #expect(error?.code == .failed(status: 22, name: "agreementError"))
        }
        let name = try signingKey().verificationKey.blockName()
        #expect(gateway.blocks[name] == nil)
    }

    @Test("the cache keeps what was used last, and no more bytes than it may")
    func cache() {
        var cache = BlockCache(bytesMax: 10 * (128 + 100))
        let names = (0..<20).map { ChordID($0) }
        let bytes = ByteBuffer(repeating: 7, count: 100)
        for name in names.prefix(10) { cache.put(name, bytes) }
        #expect(cache.count == 10)
        let found = cache.take(names[0])
        #expect(found == bytes)
        for name in names[10..<19] { cache.put(name, bytes) }
        #expect(cache.count == 10)
        #expect(cache.bytes == cache.bytesMax)
        #expect(
            names.map { cache.contains($0) } == [true] + Array(repeating: false, count: 9)
                + Array(repeating: true, count: 9) + [false])
        cache.put(ChordID(99), ByteBuffer(repeating: 7, count: cache.bytesMax))
        #expect(cache.count == 10)
        cache.put(names[19], ByteBuffer(repeating: 7, count: cache.bytesMax - 128))
        #expect(cache.count == 1)
        var none = BlockCache(bytesMax: 0)
        none.put(names[0], ByteBuffer())
        #expect(none.count == 0)
    }
}
