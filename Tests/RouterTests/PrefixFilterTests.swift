import NIOCore
import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("Filters for applications that name their versions themselves")
struct PrefixFilterTests {
    private let filter = PrefixFilter([
        .init(Array("V1".utf8), 1), .init(Array("V12".utf8), 12), .init(Array("HELLO".utf8), 3),
    ])

    private func verdict(_ text: String) -> PrefixFilter.Verdict {
        var bytes = PeekBuffer(ByteBuffer(string: text))
        return filter.version(of: &bytes)
    }

    @Test(
        "a prefix says the version, the longer of two; too few bytes say nothing yet",
        arguments: [
            ("", .needMore), ("V", .needMore), ("V1", .needMore), ("V1 ", .version(1)), ("V12", .version(12)),
            ("HELL", .needMore), ("HELLO world", .version(3)), ("HELP", .notMine), ("X", .notMine),
        ] as [(String, PrefixFilter.Verdict)])
    func prefixes(text: String, expected: PrefixFilter.Verdict) {
        #expect(verdict(text) == expected)
    }

    @Test("what a filter decided is delivered to that version if it serves, and what it does not know is refused")
    func decisions() throws {
        let application = try #require(ApplicationID(rawValue: "cfs"))
        let address = try #require(IPAddress("10.77.0.2"))
        let table = RoutingTable([
            application: .init(
                ports: [7100], versions: [1: HostAddresses(address), 3: HostAddresses(address)], advertised: [1],
                filter: filter)
        ])
        #expect(table.inbound(.absent, on: 7100, over: .v4) == .filter(application, filter))
        #expect(
            table.filtered(.version(1), of: application, on: 7100, over: .v4)
                == .deliver(application, 1, to: Endpoint(address: address, port: 7100), header: nil))
        #expect(
            table.filtered(.version(3), of: application, on: 7100, over: .v4)
                == .refuse(.versionNotRunning, header: nil))
        #expect(table.filtered(.notMine, of: application, on: 7100, over: .v4) == .refuse(.noVersionFound, header: nil))
    }
}
