import NIOCore
import Testing
import VersionKitModel
import VersionKitWire

@Suite("The direct port in a header")
struct DirectPortTests {
    private var header: VersionHeader { VersionHeader(application: ApplicationID(rawValue: "irislog")!, sender: 2) }

    @Test("It travels as an extension of six bytes")
    func roundTrip() {
        var sent = header
        sent.directPort = .init(10_001, seconds: 60)
        #expect(sent.encoded().readableBytes == header.encoded().readableBytes + 6)
        guard case .header(let received, _) = VersionHeader.decode(sent.encoded()) else {
            Issue.record("no header")
            return
        }
        #expect(received.directPort == .init(10_001, seconds: 60))
    }

    @Test("A header names one at most, the one that was set last")
    func replaced() {
        var sent = header
        sent.directPort = .init(10_001, seconds: 60)
        sent.directPort = .init(10_002, seconds: 30)
        #expect(sent.extensions.count == 1)
        #expect(sent.directPort?.number == 10_002)
        sent.directPort = nil
        #expect(sent.extensions.isEmpty)
    }

    @Test(
        "One that makes no sense is none, and the header is as good as without it",
        arguments: [[], [39], [39, 17, 0], [0, 0, 0, 60], [39, 17, 0, 0], [39, 17, 0, 60, 0]] as [[UInt8]])
    func senseless(value: [UInt8]) {
        var sent = header
        sent.extensions = [.init(type: 1, value: value)]
        #expect(sent.directPort == nil)
        guard case .header = VersionHeader.decode(sent.encoded()) else {
            Issue.record("the header was refused")
            return
        }
    }
}
