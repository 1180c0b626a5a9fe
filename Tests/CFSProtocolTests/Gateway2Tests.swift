import CFSModel
import CFSProtocol
import CFSProtocol2
import NIOCore
import ONCRPC
import Testing

/// Goal: the messages of the gateway of 2008 are those of the historic protocol, byte for byte.
///
/// The bytes were worked out by hand from `dhashgateway_prot.x`.
struct Gateway2Tests {
    private static let hello = ByteBuffer(string: "hello")

    @Test("an insertion is written as the historic client does, not filled up, and read back")
    func insertion() throws {
        let insertion = Gateway2.Insertion(
            key: try id(nodeID), kind: .unauthenticated, block: Self.hello, expiration: 0x4A00_0000,
            options: [.guessSupplied, .expirationSupplied], guess: try id("80"))
        let bytes = hex(nodeIDBytes + "00000002 00000005 68656c6c 6f000000 4a000000 00000101 00000004 00000080")
        #expect(try XDRWriter.bytes(of: insertion) == bytes)
        #expect(try XDRReader.readAll(bytes) == insertion)
        #expect(
            try Gateway2.insert.call(insertion, xid: 1).encoded()
                == hex("00000001 00000000 00000002 00054180 00000001 00000001 00000000 00000000 00000000 00000000")
                + bytes)
    }

    @Test("a retrieval is that of 2004 but for the kinds")
    func retrieval() throws {
        let retrieval = Gateway2.Retrieval(key: try id(nodeID), kind: .append, options: .useCache)
        let bytes = hex(nodeIDBytes + "00000003 00000004 00000000")
        #expect(try XDRWriter.bytes(of: retrieval) == bytes)
        #expect(try XDRReader.readAll(bytes) == retrieval)
    }

    @Test("a block that was found says until when it is kept")
    func found() throws {
        let block = Gateway2.Block(
            Self.hello, kind: .keyHash, expiration: 0x4A00_0000, hops: 2, errors: 1, retries: -1, times: [10, 300],
            path: [ChordID(1), try id(nodeID)])
        let bytes = hex(
            """
            00000000 00000005 68656c6c 6f000000 00000001 4a000000 00000002 00000001 ffffffff
            00000002 0000000a 0000012c 00000002 00000004 00000001
            """ + nodeIDBytes)
        #expect(try XDRWriter.bytes(of: Gateway2.RetrieveResult.found(block)) == bytes)
        #expect(try XDRReader.readAll(bytes) == Gateway2.RetrieveResult.found(block))
    }

    @Test("numbers are those of 2008")
    func numbers() throws {
        #expect(Gateway2.Kind.allCases.map(\.rawValue) == [0, 1, 2, 3])
        #expect(Gateway2.Status.allCases.map(\.rawValue) == [0, 1, 3, 5] + Array(7...23))
        #expect(throws: XDRError(.unknownCase(type: "Status", number: 2), at: 0)) {
            try XDRReader.readAll(hex("00000002"), as: Gateway2.Status.self)
        }
        #expect(try XDRReader.readAll(hex("00000016")) == Gateway2.InsertResult.failed(.diskFull))
    }
}
