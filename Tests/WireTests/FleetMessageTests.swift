import Testing
import VersionKitModel
import VersionKitWire

@Suite("The message of one router to another")
struct FleetMessageTests {
    private let code = [UInt8](0..<32)

    private func message(_ serving: Set<Version> = [1, 2]) -> FleetMessage {
        FleetMessage(
            application: ApplicationID(rawValue: "irislog")!, news: .serving(serving), sender: IPAddress("10.0.0.1")!,
            receiver: IPAddress("10.0.0.2")!, stamp: 1_700_000_000_000, nonce: [UInt8](repeating: 0xA5, count: 16))
    }

    @Test("it is one line of words, as the document has it")
    func line() {
        #expect(
            message().line(code: code) == "versions irislog 1,2 from 10.0.0.1 to 10.0.0.2 at 1700000000000 "
                + "nonce a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5 "
                + "hmac 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
    }

    @Test("what is written is read again", arguments: [[], [1], [1, 2], [7, 4_294_967_295]] as [Set<Version>])
    func roundTrip(serving: Set<Version>) throws {
        let sealed = try FleetMessage.decode(message(serving).line(code: code))
        #expect(sealed.message == message(serving))
        #expect(sealed.code == code)
    }

    @Test(
        "how new a node's documents are is told in the same way",
        arguments: [(0, 0), (1, 0), (1000, UInt64.max)] as [(UInt64, UInt64)])
    func trust(root: UInt64, channel: UInt64) throws {
        var told = message()
        told.news = .trust(root: root, channel: channel)
        let line = told.line(code: code)
        #expect(line.hasPrefix("trust irislog \(root)/\(channel) from 10.0.0.1 to 10.0.0.2 at 1700000000000 nonce a5"))
        #expect(try FleetMessage.decode(line).message == told)
        for wrong in ["1", "1/", "/1", "01/1", "1/2/3", "+1/1", "-", "1,2"] {
            let changed = line.replacing("\(root)/\(channel)", with: wrong, maxReplacements: 1)
            #expect(throws: FleetMessage.Fault.badNumbers, "\(wrong)") { try FleetMessage.decode(changed) }
        }
        let mixed = "versions" + line.dropFirst("trust".count)
        #expect(throws: FleetMessage.Fault.badVersions) { try FleetMessage.decode(mixed) }
    }

    @Test("how far around a node a version serves is told in the same way", arguments: 0...4)
    func horizon(hops: Int) throws {
        var told = message()
        told.news = .horizon(.init(7, hops: hops))
        let line = told.line(code: code)
        #expect(line.hasPrefix("horizon irislog 7/\(hops) from 10.0.0.1 to 10.0.0.2 at 1700000000000 nonce a5"))
        #expect(try FleetMessage.decode(line).message == told)
        for wrong in ["7", "7/", "/1", "07/1", "7/01", "7/5", "7/-1", "0/1", "4294967296/1", "7/1/1", "-"] {
            let changed = line.replacing("7/\(hops)", with: wrong, maxReplacements: 1)
            #expect(throws: FleetMessage.Fault.badNumbers, "\(wrong)") { try FleetMessage.decode(changed) }
        }
    }

    @Test("no beginning of a line is a message")
    func dripFeed() {
        let line = message().line(code: code)
        for length in 0..<line.utf8.count {
            #expect(throws: FleetMessage.Fault.self, "\(length) bytes") {
                try FleetMessage.decode(String(line.prefix(length)))
            }
        }
    }

    @Test("no line with one byte changed is the same message")
    func oneByte() {
        let bytes = Array(message().line(code: code).utf8)
        let whole = try? FleetMessage.decode(String(decoding: bytes, as: UTF8.self))
        for index in bytes.indices {
            for other in [UInt8(ascii: " "), UInt8(ascii: "0"), UInt8(ascii: "F"), 0, 0xFF] where other != bytes[index]
            {
                var changed = bytes
                changed[index] = other
                #expect((try? FleetMessage.decode(String(decoding: changed, as: UTF8.self))) != whole, "byte \(index)")
            }
        }
    }

    @Test("the longest message fits into a line")
    func longest() throws {
        let versions = Set((0..<64).compactMap { Version(UInt32.max - $0) })
        let longest = FleetMessage(
            application: ApplicationID(rawValue: String(repeating: "a", count: 63))!, news: .serving(versions),
            sender: IPAddress("255.255.255.255")!, receiver: IPAddress("255.255.255.255")!, stamp: .max,
            nonce: [UInt8](repeating: 255, count: 16))
        #expect(longest.news == .serving(Set((0..<32).compactMap { Version(UInt32.max - $0) })))
        let line = longest.line(code: code)
        #expect(line.utf8.count <= FleetMessage.lineBytesMax)
        #expect(try FleetMessage.decode(line).message == longest)
    }

    @Test(
        "a line that is wrong is refused for what is wrong in it",
        arguments: [
            ("versions irislog 1,2 ", "versions irislog 1,2  ", .badForm),
            ("versions ", "version ", .badForm), (" hmac", " mac", .badForm),
            ("irislog", "IrisLog", .badApplication),
            ("1,2", "2,1", .badVersions), ("1,2", "1,1", .badVersions), ("1,2", "0", .badVersions),
            ("1,2", "1,", .badVersions), ("1,2", "01", .badVersions),
            ("1,2", (1...33).map(String.init).joined(separator: ","), .badVersions),
            ("10.0.0.1", "10.0.0", .badAddress), ("10.0.0.1", "::ffff:10.0.0.1", .badAddress),
            ("10.0.0.2", "10.0.0.256", .badAddress),
            ("1700", "-1700", .badTime), ("1700", "01700", .badTime), ("1700", "99999999991700", .badTime),
            ("nonce a5", "nonce ", .badBytes), ("nonce a5", "nonce A5", .badBytes), ("1e1f", "1e1f00", .badBytes),
            ("irislog", String(repeating: "a", count: 2000), .tooLong),
        ] as [(String, String, FleetMessage.Fault)])
    func faults(part: String, replacement: String, fault: FleetMessage.Fault) {
        let line = message().line(code: code)
        #expect(throws: fault) { try FleetMessage.decode(line.replacing(part, with: replacement)) }
    }
}
