import CFSModel
import CFSProtocol
import CFSProtocol1
import NIOCore
import ONCRPC
import Testing

/// Goal: the messages of the gateway of 2004 are those of the historic protocol, byte for byte.
///
/// The bytes were worked out by hand from `dhashgateway_prot.x`.
struct Gateway1Tests {
    private static let hello = ByteBuffer(string: "hello")

    @Test("an insertion is written as the historic client does, filled up, and read back")
    func insertion() throws {
        let insertion = Gateway1.Insertion(
            key: try id(nodeID), kind: .unauthenticated, block: Self.hello, options: [.guessSupplied, .newBlock],
            guess: try id("80"))
        let bytes = hex(
            nodeIDBytes + "00000003 00000005 00000008 68656c6c 6f000000 00000021 00000004 00000080")
        #expect(try XDRWriter.bytes(of: insertion) == bytes)
        let read = try XDRReader.readAll(bytes, as: Gateway1.Insertion.self)
        #expect(read == insertion && read.block == Self.hello)
        #expect(
            try Gateway1.insert.call(insertion, xid: 1).encoded()
                == hex("00000001 00000000 00000002 00054180 00000001 00000001 00000000 00000000 00000000 00000000")
                + bytes)
    }

    @Test("a block shorter than its length says is refused, where the historic node read on behind it")
    func shortBlock() {
        let bytes = hex("00000000 00000000 00000009 00000008 68656c6c 6f000000 00000000 00000000")
        #expect(throws: XDRError(.invalid("a block shorter than its length says"), at: 8)) {
            try XDRReader.readAll(bytes, as: Gateway1.Insertion.self)
        }
        // What was -1 in `int32`.
        let negative = hex("00000000 00000000 ffffffff 00000004 68656c6c 00000000 00000000")
        #expect(throws: XDRError.self) { try XDRReader.readAll(negative, as: Gateway1.Insertion.self) }
    }

    @Test("a retrieval is written as the historic client does, and read back")
    func retrieval() throws {
        let retrieval = Gateway1.Retrieval(key: try id(nodeID), kind: .keyHash, options: .useCache)
        let bytes = hex(nodeIDBytes + "00000001 00000004 00000000")
        #expect(try XDRWriter.bytes(of: retrieval) == bytes)
        #expect(try XDRReader.readAll(bytes) == retrieval)
    }

    @Test("a block that was found is written as the historic node does, and read back")
    func found() throws {
        let block = Gateway1.Block(
            Self.hello, kind: .contentHash, hops: 2, errors: 1, retries: -1, times: [10, 300],
            path: [ChordID(1), try id(nodeID)])
        let bytes = hex(
            """
            00000000 00000005 68656c6c 6f000000 00000000 00000005 00000002 00000001 ffffffff
            00000002 0000000a 0000012c 00000002 00000004 00000001
            """ + nodeIDBytes)
        #expect(try XDRWriter.bytes(of: Gateway1.RetrieveResult.found(block)) == bytes)
        #expect(try XDRReader.readAll(bytes) == Gateway1.RetrieveResult.found(block))
    }

    @Test("a block that was found may be filled up, and may not be shorter than its length says")
    func foundFilled() throws {
        let rest = "00000000 00000000 00000000 00000000 00000000"
        let filled = hex("00000000 00000008 68656c6c 6f000000 00000000 00000005" + rest)
        #expect(
            try XDRReader.readAll(filled)
                == Gateway1.RetrieveResult.found(Gateway1.Block(Self.hello, kind: .contentHash)))
        let short = hex("00000000 00000004 68656c6c 00000000 00000005" + rest)
        #expect(throws: XDRError(.invalid("a block shorter than its length says"), at: 16)) {
            try XDRReader.readAll(short, as: Gateway1.RetrieveResult.self)
        }
    }

    @Test("what was stored says by which way, what failed says why")
    func stored() throws {
        let stored = Gateway1.InsertResult.stored(path: [ChordID(1)])
        #expect(try XDRWriter.bytes(of: stored) == hex("00000000 00000001 00000004 00000001"))
        #expect(try XDRReader.readAll(hex("00000000 00000001 00000004 00000001")) == stored)
        for status in Gateway1.Status.allCases where status != .ok {
            var bytes = ByteBuffer(integer: status.rawValue)
            #expect(try XDRWriter.bytes(of: Gateway1.InsertResult.failed(status)) == bytes)
            #expect(try XDRReader.readAll(bytes) == Gateway1.RetrieveResult.failed(status))
            bytes.writeInteger(0, as: UInt32.self)
            #expect(throws: XDRError(.trailingBytes(4), at: 4)) {
                try XDRReader.readAll(bytes, as: Gateway1.RetrieveResult.self)
            }
        }
        #expect(throws: XDRError.self) { try XDRWriter.bytes(of: Gateway1.InsertResult.failed(.ok)) }
    }

    @Test("numbers are those of 2004")
    func numbers() {
        #expect(Gateway1.Kind.allCases.map(\.rawValue) == [0, 1, 3, 4, 5])
        #expect(Gateway1.Status.allCases.map(\.rawValue) == Array(0...22))
        #expect(throws: XDRError(.unknownCase(type: "Kind", number: 2), at: 0)) {
            try XDRReader.readAll(hex("00000002"), as: Gateway1.Kind.self)
        }
        #expect(throws: XDRError.self) { try XDRReader.readAll(hex("00000017"), as: Gateway1.Status.self) }
    }
}

func + (left: ByteBuffer, right: ByteBuffer) -> ByteBuffer {
    var both = left
    both.writeImmutableBuffer(right)
    return both
}
