import CFSModel
import CFSProtocol
import NIOCore
import ONCRPC
import Testing

/// Goal: ids are on the wire what the historic programs make of them.
struct ChordIDTests {
    @Test(
        "an id is written as the historic programs do, and read back",
        arguments: [
            ("0", "00000000"), ("1", "00000004 00000001"), ("80", "00000004 00000080"),
            ("80000000", "00000008 00000000 80000000"), ("7fffffff", "00000004 7fffffff"),
            ("123456789a", "00000008 00000012 3456789a"), (nodeID, nodeIDBytes),
            ("7173f7cbbc4f426392eca75f3a45781d292f69c2", "00000014 7173f7cb bc4f4263 92eca75f 3a45781d 292f69c2"),
            (
                "ffffffffffffffffffffffffffffffffffffffff",
                "00000018 00000000 ffffffff ffffffff ffffffff ffffffff ffffffff"
            ),
        ])
    func vectors(text: String, bytes: String) throws {
        let id = try id(text)
        #expect(try XDRWriter.bytes(of: id) == hex(bytes))
        #expect(try XDRReader.readAll(hex(bytes)) == id)
    }

    @Test("zeros in front make no difference")
    func zeros() throws {
        #expect(try XDRReader.readAll(hex("00000008 00000000 00000001")) == ChordID(1))
        #expect(try XDRReader.readAll(hex("00000001 01000000")) == ChordID(1))
    }

    @Test("what is negative or too large is no id")
    func noID() {
        #expect(throws: XDRError(.invalid("an id below zero"), at: 0)) {
            try XDRReader.readAll(hex("00000004 80000000"), as: ChordID.self)
        }
        #expect(throws: XDRError(.invalid("an id of more than 160 bits"), at: 0)) {
            try XDRReader.readAll(
                hex("00000018 00000001 00000000 00000000 00000000 00000000 00000000"), as: ChordID.self)
        }
        #expect(throws: XDRError(.tooLong(count: 28, max: 24), at: 0)) {
            try XDRReader.readAll(hex("0000001c"), as: ChordID.self)
        }
    }
}
