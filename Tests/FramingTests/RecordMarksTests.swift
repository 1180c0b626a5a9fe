import NIOCore
import Testing
import VersionKitFraming
import VersionKitProxy
import VersionKitWire

@Suite("Records of fragments")
struct RecordMarksTests {
    private func record(_ bytes: [UInt8]) throws(ProxyError) -> (content: [UInt8]?, used: Int) {
        var buffer = PeekBuffer(ByteBuffer(bytes: bytes))
        let content = try buffer.peekRecord(lengthMax: 4, fragmentsMax: 3, orThrow: ProxyError.malformedRequest)
        return (content.map { Array($0.readableBytesView) }, buffer.peekedBytes)
    }

    @Test("a record ends with the fragment that says so, and what is behind it stays")
    func fragments() throws {
        let one = try record([128, 0, 0, 2, 7, 8, 9])
        #expect(one.content == [7, 8] && one.used == 6)
        let three = try record([0, 0, 0, 1, 7, 0, 0, 0, 0, 128, 0, 0, 3, 8, 9, 10])
        #expect(three.content == [7, 8, 9, 10] && three.used == 16)
        let none = try record([128, 0, 0, 0])
        #expect(none.content == [] && none.used == 4)
    }

    @Test(
        "a record that is not all there is not taken", arguments: [[], [128, 0, 0], [128, 0, 0, 1], [0, 0, 0, 1, 7]])
    func incomplete(_ bytes: [UInt8]) throws {
        let found = try record(bytes)
        #expect(found.content == nil && found.used == 0)
    }

    @Test(
        "a record of too many bytes or fragments is an error as soon as that is said",
        arguments: [
            [128, 0, 0, 5], [0, 0, 0, 3, 1, 2, 3, 128, 0, 0, 2], [255, 255, 255, 255],
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ])
    func tooLong(_ bytes: [UInt8]) { #expect(throws: ProxyError.self) { try record(bytes) } }
}
