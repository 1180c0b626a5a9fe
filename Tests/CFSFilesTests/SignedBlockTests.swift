import CFSBlocks
import CFSModel
import NIOCore
import ONCRPC
import Testing

/// Goal: a signed block proves itself, and nothing else is believed. The key is the first one of RFC 8032, section 7.1; the
/// signature of the vector was made by OpenSSL.
struct SignedBlockTests {
    private static let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    private static let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    /// Key, signature, length of what is signed, version, salt, data.
    private static let vector = """
        000063af d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
        000063af 6727458be757bf86e9b22d03926b832010c6b5b6154a97f2cbf66e91e8e62256
        c5ced58e29e240a22c9a669bcd9893543052be560ec8cbf507baabb69f1e5008
        0000001d 4190ab01 0000000000000000000000000000000000000000 68656c6c6f000000
        """

    private func block() throws -> SignedBlock {
        let key = try #require(SigningKey(seed: Array(Self.seed.readableBytesView)))
        return SignedBlock(ByteBuffer(string: "hello"), version: 1_100_000_001, by: key)
    }

    @Test("a signed block is a key, a signature, and what is signed")
    func vector() throws {
        let name = try #require(ChordID("6d5f572f46d7fee0096cb050e3356f9d484c512d"))
        #expect(try block().key.bytes == Array(hex(Self.key).readableBytesView))
        #expect(try block().name == name)
        let read = try SignedBlock(hex(Self.vector), named: name)
        #expect(read.data == ByteBuffer(string: "hello"))
        #expect(read.version == 1_100_000_001)
        #expect(read.salt == .zero)
        #expect(try read.bytes == hex(Self.vector))
        // Our own signature need not be the same; it is as long, and right.
        let own = try block().bytes
        #expect(try SignedBlock(own, named: name).data == ByteBuffer(string: "hello"))
        #expect(own.readableBytes == hex(Self.vector).readableBytes)
    }

    @Test("each bit of a block counts")
    func damaged() throws {
        let (bytes, name) = (Array(try block().bytes.readableBytesView), try block().name)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(throws: SignedBlockError.self) { try SignedBlock(ByteBuffer(bytes: damaged), named: name) }
        }
    }

    @Test("other data, another version and another signature are a bad signature")
    func badSignature() throws {
        let (bytes, name) = (Array(try block().bytes.readableBytesView), try block().name)
        // The first bytes of the signature, the version, the data.
        for index in [40, 111, 132] {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(throws: SignedBlockError(.badSignature, block: name)) {
                try SignedBlock(ByteBuffer(bytes: damaged), named: name)
            }
        }
    }

    @Test("a block that another key signed rightly is not the one that was asked for")
    func wrongKey() async throws {
        let name = try block().name
        let other = SignedBlock(ByteBuffer(string: "hello"), version: 2, by: try signingKey(2))
        #expect(throws: SignedBlockError(.wrongKey, block: name)) { try SignedBlock(other.bytes, named: name) }
    }

    @Test("a salt makes another block of the same key")
    func salt() throws {
        let salt = try #require(BlockSalt(Array(repeating: 7, count: 20)))
        let key = try signingKey()
        let salted = SignedBlock(ByteBuffer(string: "hello"), version: 2, salt: salt, by: key)
        #expect(salted.name != key.verificationKey.blockName())
        #expect(try SignedBlock(salted.bytes, named: salted.name).salt == salt)
        #expect(throws: SignedBlockError(.wrongKey, block: key.verificationKey.blockName())) {
            try SignedBlock(salted.bytes, named: key.verificationKey.blockName())
        }
        #expect(BlockSalt([1, 2, 3]) == nil)
    }

    @Test("an older version than the one that was seen is refused, the same one is not")
    func olderVersion() throws {
        let block = try block()
        #expect(try SignedBlock(block.bytes, named: block.name, seen: block.version).version == block.version)
        let seen = block.version + 1
        #expect(throws: SignedBlockError(.olderVersion(block.version, seen: seen), block: block.name)) {
            try SignedBlock(block.bytes, named: block.name, seen: seen)
        }
    }

    @Test("a block that ends too early, too late, or tells lengths that cannot be, is refused")
    func malformed() throws {
        let (bytes, name) = (try block().bytes, try block().name)
        for count in 0..<bytes.readableBytes {
            let part = try #require(bytes.getSlice(at: 0, length: count))
            #expect(throws: SignedBlockError.self) { try SignedBlock(part, named: name) }
        }
        for length in [0, 23, 24, 30, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF] as [UInt32] {
            var other = bytes
            other.setInteger(length, at: 104)
            #expect(throws: SignedBlockError.self) { try SignedBlock(other, named: name) }
        }
        // A Rabin key, as historic publishers had: nobody can check it.
        var rabin = bytes
        rabin.setInteger(UInt32(1), at: 0)
        #expect(throws: SignedBlockError.self) { try SignedBlock(rabin, named: name) }
        let huge = ByteBuffer(repeating: 0, count: SignedBlockLimits.blockBytes + 1)
        #expect(throws: SignedBlockError(.tooLarge(bytes: huge.readableBytes), block: name)) {
            try SignedBlock(huge, named: name)
        }
    }

    @Test("keys are 32 bytes")
    func keys() throws {
        #expect(SigningKey(seed: [1, 2, 3]) == nil)
        #expect(VerificationKey([1, 2, 3]) == nil)
        var random = SystemRandomNumberGenerator()
        let key = SigningKey(using: &random)
        #expect(SigningKey(seed: key.seed)?.verificationKey == key.verificationKey)
    }
}
