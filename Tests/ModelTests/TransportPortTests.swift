import Foundation
import Testing
import VersionKitModel

@Suite("Ports of a transport protocol")
struct TransportPortTests {
    @Test("A bare number is TCP, and a suffix names the protocol")
    func text() {
        #expect(TransportPort("7000") == .tcp(7000))
        #expect(TransportPort("7000/tcp") == .tcp(7000))
        #expect(TransportPort("7000/udp") == .udp(7000))
        #expect(TransportPort.udp(53).description == "53/udp")
        #expect(TransportPort.tcp(53).description == "53")
    }

    @Test(
        "Anything else is not a port",
        arguments: ["", "/udp", "7000/", "7000/sctp", "+7000", "07000", "70000", "-1", "7000/udp/udp", "7000/UDP"])
    func refused(text: String) {
        #expect(TransportPort(text) == nil)
    }

    @Test("In JSON TCP is a number, as it always was, and UDP an object")
    func json() throws {
        let ports: [TransportPort] = [7000, .udp(7000)]
        let encoded = try JSONEncoder().encode(ports)
        #expect(String(decoding: encoded, as: UTF8.self) == #"[7000,{"udp":7000}]"#)
        #expect(try JSONDecoder().decode([TransportPort].self, from: encoded) == ports)
    }
}
