import Testing
import VersionKitModel
import VersionKitWire

@Suite("Verdicts on releases")
struct SpreadVerdictTests {
    private static let code = (0..<32).map { UInt8($0) }

    private func verdict(_ reason: String = "it exited with code 4") throws -> SpreadVerdict {
        SpreadVerdict(
            application: try #require(ApplicationID(rawValue: "irislog")), version: 2,
            manifest: try #require(Digest(hex: String(repeating: "a5", count: 32))), finding: .withdrawn,
            node: try #require(IPAddress("10.0.0.1")), time: 1_700_000_000_000, reason: reason)
    }

    @Test("a verdict is one line, and is read again", arguments: ["", "x", "because of hmac 00", "läuft nicht"])
    func roundTrip(reason: String) throws {
        let sealed = SpreadVerdict.Sealed(try verdict(reason), code: Self.code)
        #expect(try SpreadVerdict.decode(sealed.line) == sealed)
        #expect(sealed.line.utf8.count <= SpreadVerdict.lineBytesMax)
    }

    @Test("the line is as documented")
    func line() throws {
        let hex = String(repeating: "a5", count: 32)
        #expect(
            try verdict().signedText
                == "verdict irislog 2 sha256:\(hex) withdrawn by 10.0.0.1 at 1700000000000 because 21 it exited with code 4"
        )
    }

    @Test("a reason of several lines becomes one, and a long one is cut between characters")
    func reasons() throws {
        #expect(try verdict("a\nb\u{1b}[31m").reason == "a b [31m")
        let long = try verdict(String(repeating: "ö", count: 400)).reason
        #expect(long == String(repeating: "ö", count: 150))
        let sealed = SpreadVerdict.Sealed(try verdict(long), code: Self.code)
        #expect(try SpreadVerdict.decode(sealed.line) == sealed)
    }

    @Test("no line with a byte changed, left out or put in is read as the same verdict with the same code")
    func tampered() throws {
        let sealed = SpreadVerdict.Sealed(try verdict(), code: Self.code)
        let bytes = Array(sealed.line.utf8)
        for index in bytes.indices {
            var flipped = bytes
            flipped[index] ^= 1
            var shorter = bytes
            shorter.remove(at: index)
            var longer = bytes
            longer.insert(UInt8(ascii: "0"), at: index)
            for line in [flipped, shorter, longer].map({ String(decoding: $0, as: UTF8.self) })
            where line != sealed.line {
                if let other = try? SpreadVerdict.decode(line) { #expect(other != sealed, "\(line)") }
            }
        }
    }

    @Test(
        "what is no verdict is refused with its fault",
        arguments: [
            ("", SpreadVerdict.Fault.badForm), (String(repeating: "v", count: 1025), .tooLong),
            ("verdict irislog 0 x withdrawn by 10.0.0.1 at 1 because 0  hmac 00", .badWord),
            ("verdict irislog 2 x", .badForm),
        ])
    func faults(line: String, fault: SpreadVerdict.Fault) {
        #expect(throws: fault) { try SpreadVerdict.decode(line) }
    }
}
