import CFSBlocks
import CFSFiles
import CFSModel
import CFSNFS
import NFS3
import NIOCore
import ONCRPC
import ONCRPCSockets
import Synchronization
import Testing

/// Blocks in memory that may be taken away, damaged, or out of reach.
final class Blocks: BlockSource, BlockSink {
    struct Unreachable: Error {}

    struct State {
        var blocks: [ChordID: ByteBuffer] = [:]
        var signed: [ChordID: ByteBuffer] = [:]
        var isReachable = true
    }

    private let state = Mutex(State())

    var isReachable: Bool {
        get { state.withLock { $0.isReachable } }
        set { state.withLock { $0.isReachable = newValue } }
    }

    func put(_ block: ByteBuffer?, for name: ChordID) { state.withLock { $0.blocks[name] = block } }

    func block(_ name: ChordID) throws -> ByteBuffer? {
        try state.withLock { state in
            guard state.isReachable else { throw Unreachable() }
            return state.blocks[name]
        }
    }

    func signedBlock(_ name: ChordID) throws -> ByteBuffer? {
        try state.withLock { state in
            guard state.isReachable else { throw Unreachable() }
            return state.signed[name]
        }
    }

    func store(_ block: NamedBlock) { put(block.bytes, for: block.name) }

    func settle() {}

    func store(root: ByteBuffer, named name: ChordID) { state.withLock { $0.signed[name] = root } }
}

/// A tree in memory: files by their paths, with a pattern of so many bytes; links by theirs; directories as the paths say.
struct Tree: FileTree {
    var files: [String: Int] = [:]
    var links: [String: String] = [:]

    private static let time = FileTime(seconds: 1_000_000_000, nanoseconds: 5)

    func root() -> TreeNode { TreeNode(.directory, modified: Self.time) }

    func list(_ directory: TreePath) throws -> [(name: FileName, node: TreeNode)] {
        let prefix = directory == .root ? "/" : "\(directory)/"
        var nodes: [String: TreeNode.Kind] = [:]
        for (path, kind) in files.map({ ($0.key, TreeNode.Kind.file) })
            + links.map({ ($0.key, TreeNode.Kind.link(target: Array($0.value.utf8))) })
        where path.hasPrefix(prefix) {
            let rest = path.dropFirst(prefix.count).split(separator: "/")
            nodes[String(rest[0])] = rest.count > 1 ? .directory : kind
        }
        return try nodes.map { (try #require(FileName($0)), TreeNode($1, modified: Self.time)) }
    }

    func read(_ file: TreePath, at offset: UInt64, count: Int) -> ByteBuffer {
        pattern(Int(offset)..<min(files["\(file)"] ?? 0, Int(offset) + count))
    }
}

/// The bytes of every file: no two of its blocks of 512 are equal.
func pattern(_ range: Range<Int>) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.reserveCapacity(range.count)
    for offset in range {
        bytes.writeInteger(UInt8(truncatingIfNeeded: (offset >> 3 &* 0x1E37_79B9_7F4A_7C15) >> (8 * (offset & 7))))
    }
    return bytes
}

/// What is published, when, and from where.
final class Publication: Sendable {
    let blocks = Blocks()
    let publisher: Publisher
    let day = Mutex<UInt64>(1000)
    let elapsed = Mutex(Duration.zero)

    init(_ tree: Tree, key number: UInt8 = 1, duration: UInt32 = 1000) async throws {
        let key = try #require(SigningKey(seed: Array(repeating: number, count: 32)))
        // Ten names fill an indirect block.
        publisher = try Publisher(key: key, blockSize: 512, duration: duration)
        try await publish(tree)
    }

    func publish(_ tree: Tree, at now: UInt32 = 1000) async throws {
        _ = try await publisher.publish(tree, to: blocks, at: now)
    }

    func server(secret: String = "secret") -> NFSServer<Blocks> {
        let published = PublishedFiles(publisher.name, from: blocks) {
            (self.day.withLock { $0 }, self.elapsed.withLock { $0 })
        }
        return NFSServer(published, secret: Array(secret.utf8), mayPass: { $0 is Blocks.Unreachable })
    }

    /// Serves it while the body runs.
    func withPort(secret: String = "secret", _ body: (Int) async throws -> Void) async throws {
        let sockets = try await RPCStreamServer.bind(
            to: .tcp(host: "127.0.0.1", port: 0), services: server(secret: secret).services)
        guard case .tcp(_, let port) = sockets.address else { return }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await sockets.serve() }
            do { try await body(port) } catch {
                await sockets.close()
                throw error
            }
            await sockets.close()
        }
    }

    /// Serves it, and calls it.
    func withClient(secret: String = "secret", _ body: (Client) async throws -> Void) async throws {
        try await withPort(secret: secret) { port in
            let client = Client(rpc: try await RPCStreamClient.connect(to: .tcp(host: "127.0.0.1", port: port)))
            try await body(client)
            await client.rpc.close()
        }
    }
}

/// Calls a server of NFS.
struct Client {
    let rpc: RPCStreamClient

    func mount(_ path: String = "/") async throws -> NFSHandle {
        guard case .mounted(let root, _) = try await rpc.call(Mount.mount, Mount.Path(path)) else {
            throw NFSError(status: .noEntry)
        }
        return root
    }

    /// Follows names from a directory down.
    func find(_ names: String..., from directory: NFSHandle? = nil) async throws -> NFSHandle {
        var handle = if let directory { directory } else { try await mount() }
        for name in names { handle = try await lookUp(name, in: handle).file }
        return handle
    }

    func lookUp(_ name: String, in directory: NFSHandle) async throws -> NFS.Found {
        try await rpc.call(NFS.lookUp, NFS.DirectoryEntry(directory, NFSName(name))).get()
    }

    func attributes(_ file: NFSHandle) async throws -> NFSAttributes {
        try await rpc.call(NFS.getAttributes, file).get()
    }

    func read(_ file: NFSHandle, at offset: UInt64, _ count: UInt32) async throws -> NFS.ReadAnswer {
        try await rpc.call(NFS.read, NFS.ReadQuestion(file: file, offset: offset, count: count)).get()
    }

    /// Everything, in pieces of so many bytes.
    func readAll(_ file: NFSHandle, by count: UInt32) async throws -> ByteBuffer {
        var bytes = ByteBuffer()
        while true {
            let answer = try await read(file, at: UInt64(bytes.readableBytes), count)
            #expect(answer.count == answer.data.readableBytes)
            bytes.writeImmutableBuffer(answer.data)
            if answer.isEnd { return bytes }
        }
    }

    /// All entries, in slices of so many bytes, and how many slices there were.
    func list(_ directory: NFSHandle, by count: UInt32) async throws -> (entries: [NFS.DirectoryName], slices: Int) {
        var entries: [NFS.DirectoryName] = []
        var (verifier, slices) = (UInt64(0), 0)
        while true {
            let question = NFS.DirectoryQuestion(
                directory: directory, cookie: entries.last?.cookie ?? 0, verifier: verifier, count: count)
            let answer = try await rpc.call(NFS.readDirectory, question).get()
            entries += answer.entries
            (verifier, slices) = (answer.verifier, slices + 1)
            if answer.isEnd { return (entries, slices) }
        }
    }
}

struct NFSError: Error, Equatable {
    var status: NFSStatus
}

extension NFSResult {
    func get() throws -> Success {
        switch self {
        case .done(let success): return success
        case .failed(let status, _): throw NFSError(status: status)
        }
    }
}

func expectStatus<Value>(
    _ status: NFSStatus, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async {
    await #expect(throws: NFSError(status: status), sourceLocation: sourceLocation) { _ = try await body() }
}
