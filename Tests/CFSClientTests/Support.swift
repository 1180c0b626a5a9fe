import CFSBlocks
import CFSClient
import CFSFiles
import CFSMemoryGateway
import CFSModel
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing

/// A gateway at a port while the body runs.
func withGateway(
    _ gateway: MemoryGateway, limits: RPCLimits = .standard, at address: RPCAddress = .tcp(host: "127.0.0.1", port: 0),
    _ body: (RPCAddress) async throws -> Void
) async throws {
    let server = try await RPCStreamServer.bind(to: address, services: [gateway.service], limits: limits)
    try await withThrowingDiscardingTaskGroup { group in
        group.addTask { await server.serve() }
        do { try await body(server.address) } catch {
            await server.close()
            throw error
        }
        await server.close()
    }
}

/// A client of such a gateway that does not wait between its attempts.
func withClient(
    of gateway: MemoryGateway, callTime: Duration = .seconds(60), attempts: Int = 4, concurrency: Int = 32,
    _ body: (GatewayClient) async throws -> Void
) async throws {
    try await withGateway(gateway) { address in
        var options = GatewayClient.Options(gateway.form)
        options.callTime = callTime
        options.patience = RPCPatience(firstTime: .zero, attempts: attempts)
        options.concurrency = concurrency
        let client = GatewayClient(to: address, options)
        do { try await body(client) } catch {
            await client.close()
            throw error
        }
        await client.close()
    }
}

/// Bytes, and the name that they have.
func block(_ text: String) -> (name: ChordID, bytes: ByteBuffer) {
    (ChordID(hashing: Array(text.utf8)), ByteBuffer(string: text))
}

func signingKey(_ number: UInt8 = 1) throws -> SigningKey {
    try #require(SigningKey(seed: Array(repeating: number, count: 32)))
}

func name(_ text: String) throws -> FileName { try #require(FileName(text)) }

/// A tree of so many files of so many bytes each, each by its place.
struct PatternTree: FileTree {
    var files: [String: Int]

    private static let time = FileTime(seconds: 1_000_000_000)

    func root() -> TreeNode { TreeNode(.directory, modified: Self.time) }

    func list(_ directory: TreePath) throws -> [(name: FileName, node: TreeNode)] {
        try files.keys.map { (try CFSClientTests.name($0), TreeNode(.file, modified: Self.time)) }
    }

    func read(_ file: TreePath, at offset: UInt64, count: Int) -> ByteBuffer {
        let size = files[file.names[0].description] ?? 0
        return Self.bytes(Int(offset)..<min(size, Int(offset) + count))
    }

    /// No two blocks of 512 are equal.
    static func bytes(_ range: Range<Int>) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(range.count)
        for offset in range {
            bytes.writeInteger(UInt8(truncatingIfNeeded: (offset >> 3 &* 0x1E37_79B9_7F4A_7C15) >> (8 * (offset & 7))))
        }
        return bytes
    }
}
