import CFSBlocks
import CFSClient
import CFSModel
import CFSSimulation
import NIOCore

/// The blocks of a run: they follow from its seed.
struct Load: Sendable {
    /// What a block's name proves.
    let kind: GatewayBlockKind
    /// How many.
    let count: Int
    /// Bytes of each.
    let size: Int
    let seed: UInt64
    /// The version of signed blocks.
    let version: UInt32
    private let key: SigningKey

    init(kind: GatewayBlockKind, count: Int, size: Int, seed: UInt64, version: UInt32) {
        self.kind = kind
        self.count = count
        self.size = size
        self.seed = seed
        self.version = version
        var random = SeededRandom(seed: seed)
        key = SigningKey(using: &random)
    }

    /// A block and its name.
    func block(_ index: Int) throws -> (name: ChordID, bytes: ByteBuffer) {
        let data = data(index)
        switch kind {
        case .contentHash: return (ChordID(hashing: data.readableBytesView), data)
        case .keyHash:
            let block = SignedBlock(data, version: version, salt: salt(index), by: key)
            return (block.name, try block.bytes)
        // Any name will do.
        case .unauthenticated: return (ChordID(hashing: Array("\(seed) \(index)".utf8)), data)
        }
    }

    /// Whether this is what was stored as the block; signed ones have the version of when.
    func isRight(_ bytes: ByteBuffer, _ index: Int) -> Bool {
        let data = data(index)
        guard kind == .keyHash else { return bytes == data }
        let name = key.verificationKey.blockName(salt: salt(index))
        guard let block = try? SignedBlock(bytes, named: name) else { return false }
        return block.data == data
    }

    /// The name of a block.
    func name(_ index: Int) throws -> ChordID {
        kind == .keyHash ? key.verificationKey.blockName(salt: salt(index)) : try block(index).name
    }

    private func data(_ index: Int) -> ByteBuffer {
        // Seeds that are near each other give streams that are not.
        var seeds = SeededRandom(seed: seed ^ UInt64(index) << 20)
        var random = SeededRandom(seed: seeds.next())
        var data = ByteBuffer()
        data.reserveCapacity(size + 8)
        while data.readableBytes < size { data.writeInteger(random.next() as UInt64) }
        return data.readSlice(length: size) ?? data
    }

    private func salt(_ index: Int) -> BlockSalt {
        var bytes = Array(repeating: UInt8(0), count: BlockSalt.byteCount)
        for place in 0..<8 { bytes[place] = UInt8(truncatingIfNeeded: index >> (8 * place)) }
        guard let salt = BlockSalt(bytes) else { preconditionFailure("a salt has 20 bytes") }
        return salt
    }
}
