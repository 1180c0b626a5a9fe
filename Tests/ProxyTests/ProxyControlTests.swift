import Testing
import VersionKitModel
import VersionKitProxy

@Suite("ProxyControl")
struct ProxyControlTests {
    private static var table: VersionTable {
        var versions: VersionList = [2]
        versions.insert(1, role: .writesOnly)
        versions.leaving = versions.max
        let endpoint = Endpoint(address: IPAddress(v4: 0x0A4D_0002), port: 7000)
        return VersionTable(generation: 7, versions: versions, endpoints: [1: endpoint, 2: endpoint])
    }

    private static var logging: VersionTable {
        var versions: VersionList = [3]
        versions.insert(1, role: .logged)
        versions.insert(2, role: .settling)
        let endpoint = Endpoint(address: IPAddress(v4: 0x0A4D_0002), port: 7000)
        return VersionTable(generation: 8, versions: versions, endpoints: [2: endpoint, 3: endpoint])
    }

    private static var counters: ProxyCounters {
        var counters = ProxyCounters()
        counters.requests = 5
        counters.failed = 1
        counters.connections = 3
        counters.needed = [1: 9]
        counters.writes.unkept = [2: 4]
        (counters.writes.queued, counters.writes.queuedBytes) = ([2: 5], [2: 640])
        (counters.writes.logged, counters.writes.loggedBytes) = ([1: 5], [1: 400])
        counters.writes.unreplayable = [1: "the log does not have all writes"]
        counters.writes.settled = [2: 1]
        counters.writes.disk = [2: "write x: No space left"]
        return counters
    }

    static let messages: [ProxyControl] = [
        .listen(), .listen(versionPort: 5353), .close, .handOver, .ready, .handedOver, .applied(generation: 3),
        .versions(table), .versions(logging), .counters(counters),
        .connection(ClientRemainder(bytes: [0, 10, 32, 255], silentReplies: 2)), .connection(ClientRemainder()),
        .connection(ClientRemainder(bytes: [58, 49], silentReplies: 1, versionPort: 6001)),
    ]

    @Test("every message is read as it was written", arguments: messages)
    func roundTrip(_ message: ProxyControl) {
        #expect(ProxyControl(message.encoded) == message)
    }

    @Test(
        "what is no message is refused",
        arguments: [
            "", "hello", "applied x", "versions", "versions 1 2=3", "versions 1 0=1.2.3.4:5=full", "counters a=b",
            "versions 1 2=-=full", "versions 1 2=-=replaying", "versions 1 2=x=logged",
            "listen x", "listen 70000", "connection 1:x a", "connection 1: a",
        ])
    func garbage(_ text: String) {
        #expect(ProxyControl(Array(text.utf8)) == nil)
    }

    @Test("any bytes are answered without a crash")
    func random() {
        var state: UInt64 = 42
        for message in Self.messages {
            for index in message.encoded.indices {
                var bytes = message.encoded
                state = state &* 6_364_136_223_846_793_005 &+ 1
                bytes[index] = UInt8(truncatingIfNeeded: state >> 33)
                _ = ProxyControl(bytes)
                _ = ProxyControl(bytes.prefix(index))
            }
        }
    }
}
