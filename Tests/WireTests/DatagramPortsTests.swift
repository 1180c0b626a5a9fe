import NIOCore
import Testing
import VersionKitModel
import VersionKitWire

@Suite("The ports of a datagram in a header")
struct DatagramPortsTests {
    private var header: VersionHeader { VersionHeader(application: ApplicationID(rawValue: "irislog")!, sender: 2) }

    @Test("travel as an extension that every router has to know")
    func roundTrip() {
        var sent = header
        sent.datagramPorts = .init(source: 40_000, destination: 7000)
        #expect(sent.extensions.map(\.isCritical) == [true])
        let bytes = sent.encoded()
        #expect(VersionHeader.decode(bytes) == .header(sent, length: header.encoded().readableBytes + 6))
        sent.datagramPorts = .init(source: 1, destination: 2)
        #expect(sent.extensions.count == 1)
        sent.datagramPorts = nil
        #expect(sent == header)
    }

    @Test("are refused when they are not two", arguments: [[], [1, 2], [1, 2, 3, 4, 5]] as [[UInt8]])
    func senseless(value: [UInt8]) {
        var sent = header
        sent.extensions = [.init(type: 0x81, value: value)]
        #expect(VersionHeader.decode(sent.encoded()) == .invalid(.badExtension))
    }

    @Test("leave room in the longest header that a router sends")
    func longest() {
        var sent = VersionHeader(
            application: ApplicationID(rawValue: String(repeating: "a", count: 63))!, sender: 2, advertised: 1)
        sent.directPort = .init(10_001, seconds: 60)
        sent.datagramPorts = .init(source: 40_000, destination: 7000)
        #expect(sent.encoded().readableBytes <= Limits.standard.datagramHeaderBytesMax)
    }
}
