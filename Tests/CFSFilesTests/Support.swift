import CFSFiles
import CFSModel
import NIOCore
import ONCRPC
import Synchronization
import Testing

/// Blocks in memory: what a publisher stores, a reader finds.
final class MemoryBlocks: BlockSource, BlockSink {
    struct State {
        var blocks: [ChordID: ByteBuffer] = [:]
        var signed: [ChordID: ByteBuffer] = [:]
        /// Names that were asked for, in their order.
        var asked: [ChordID] = []
        /// What happened last while publishing.
        var isSettled = false
    }

    let state: Mutex<State>

    init(_ blocks: [NamedBlock] = []) {
        state = Mutex(State(blocks: Dictionary(blocks.map { ($0.name, $0.bytes) }, uniquingKeysWith: { $1 })))
    }

    var blocks: [ChordID: ByteBuffer] {
        get { state.withLock { $0.blocks } }
        set { state.withLock { $0.blocks = newValue } }
    }

    var signed: [ChordID: ByteBuffer] {
        get { state.withLock { $0.signed } }
        set { state.withLock { $0.signed = newValue } }
    }

    /// What was asked for since this was called last.
    func takeAsked() -> [ChordID] {
        state.withLock { state in
            defer { state.asked = [] }
            return state.asked
        }
    }

    func block(_ name: ChordID) -> ByteBuffer? {
        state.withLock { state in
            state.asked.append(name)
            return state.blocks[name]
        }
    }

    func signedBlock(_ name: ChordID) -> ByteBuffer? { signed[name] }

    func store(_ block: NamedBlock) {
        state.withLock {
            $0.blocks[block.name] = block.bytes
            $0.isSettled = false
        }
    }

    func settle() { state.withLock { $0.isSettled = true } }

    func store(root: ByteBuffer, named name: ChordID) {
        state.withLock {
            #expect($0.isSettled, "the root came before what it names")
            $0.signed[name] = root
        }
    }
}

/// A tree in memory.
struct MemoryTree: FileTree {
    indirect enum Item {
        case file([UInt8], isExecutable: Bool = false)
        /// A file of so many bytes, each by its place.
        case pattern(Int)
        case link(String)
        case directory([String: Item])
        case opaque([String: Item])

        static func text(_ text: String) -> Self { .file(Array(text.utf8)) }

        var kind: TreeNode.Kind {
            switch self {
            case .file(_, let isExecutable): .file(isExecutable: isExecutable)
            case .pattern: .file
            case .link(let target): .link(target: Array(target.utf8))
            case .directory: .directory
            case .opaque: .directory(isOpaque: true)
            }
        }

        var children: [String: Item] {
            switch self {
            case .directory(let items), .opaque(let items): items
            default: [:]
            }
        }
    }

    var item: Item
    /// Reads give no more than so many bytes.
    var bytesPerRead = Int.max

    init(_ items: [String: Item]) { item = .directory(items) }

    private func node(_ item: Item) -> TreeNode {
        TreeNode(item.kind, modified: FileTime(seconds: 1_000_000_000, nanoseconds: 5), linkCount: 1)
    }

    private func item(_ path: TreePath) throws -> Item {
        try path.names.reduce(item) { item, name in try #require(item.children[name.description]) }
    }

    func root() -> TreeNode { node(item) }

    func list(_ directory: TreePath) throws -> [(name: FileName, node: TreeNode)] {
        try item(directory).children.map { (try #require(FileName($0)), node($1)) }
    }

    func read(_ file: TreePath, at offset: UInt64, count: Int) throws -> ByteBuffer {
        let (start, count) = (Int(offset), min(count, bytesPerRead))
        switch try item(file) {
        case .file(let bytes, _): return ByteBuffer(bytes: bytes[start..<min(start + count, bytes.count)])
        case .pattern(let size): return pattern(start..<min(start + count, size))
        default: throw FileSystemError(.notFile)
        }
    }
}

/// The bytes of a patterned file: no two of its blocks of 512 are equal.
func pattern(_ range: Range<Int>) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.reserveCapacity(range.count)
    for offset in range { bytes.writeInteger(UInt8(truncatingIfNeeded: offset ^ (offset >> 9) &* 31 ^ offset >> 14)) }
    return bytes
}

func signingKey(_ number: UInt8 = 1) throws -> SigningKey {
    try #require(SigningKey(seed: Array(repeating: number, count: 32)))
}

func name(_ text: String) throws -> FileName { try #require(FileName(text)) }

/// Publishes a tree, with small blocks so that ten names fill one, and opens it.
func published(
    _ tree: MemoryTree, in blocks: MemoryBlocks = MemoryBlocks(), blockSize: Int = 512
) async throws -> (FileSystem<MemoryBlocks>, Publication) {
    let publication = try await Publisher(key: signingKey(), blockSize: blockSize).publish(tree, to: blocks, at: 1000)
    return (try await FileSystem.open(publication.name, from: blocks), publication)
}

/// A file system whose root directory has this handle, signed whatever it is.
func signed(
    _ root: ChordID, in blocks: MemoryBlocks, blockSize: UInt32 = 512
) async throws -> FileSystem<MemoryBlocks> {
    let info = FileSystemInfo(start: 0, duration: 1, root: root, blockSize: blockSize)
    let block = SignedBlock(try XDRWriter.bytes(of: FileBlock.root(info)), version: 1, by: try signingKey())
    blocks.signed[block.name] = try block.bytes
    return try await FileSystem.open(block.name, from: blocks)
}

/// An inode without history.
func inode(_ contents: Inode.Contents, path: String = "/") -> Inode {
    let time = FileTime(seconds: 0)
    return Inode(path: Array(path.utf8), linkCount: 1, modified: time, changed: time, contents: contents)
}

func expectError<Value>(
    _ code: FileSystemError.Code, at block: ChordID? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value
) async {
    do {
        let value = try await body()
        Issue.record("no error, but \(value)", sourceLocation: sourceLocation)
    } catch let error as FileSystemError {
        #expect(error.code == code, sourceLocation: sourceLocation)
        if let block { #expect(error.block == block, sourceLocation: sourceLocation) }
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}

/// Bytes from hexadecimal digits, spaces between them as one likes.
func hex(_ text: String) -> ByteBuffer {
    var bytes = ByteBuffer()
    var digits = text.filter { !$0.isWhitespace }[...]
    while digits.count >= 2 {
        if let byte = UInt8(digits.prefix(2), radix: 16) { bytes.writeInteger(byte) }
        digits = digits.dropFirst(2)
    }
    return bytes
}
