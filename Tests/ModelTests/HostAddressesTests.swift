import Foundation
import Testing
import VersionKitModel

@Suite("The addresses of a host")
struct HostAddressesTests {
    private let v4 = IPAddress("10.77.0.0")!
    private let v6 = IPAddress("fd00:564b::")!

    @Test("Each is found by its kind, and one stands for all: that of IPv4, if there is one")
    func kinds() {
        let both = HostAddresses(v6, v4)
        #expect(both.all == [v4, v6])
        #expect(both[.v6] == v6)
        #expect(both.primary == v4)
        #expect(HostAddresses(v6).primary == v6)
        #expect(HostAddresses(v6)[.v4] == nil)
    }

    @Test("Others can be made of them, of the same kinds")
    func map() {
        let third = HostAddresses(v4, v6).map { $0.advanced(by: 3 * 4 + 2) }
        #expect(third == HostAddresses(IPAddress("10.77.0.14")!, IPAddress("fd00:564b::e")!))
        #expect(HostAddresses(v6).map { $0.advanced(by: 1) }.description == "fd00:564b::1")
    }

    @Test(
        "In JSON it is one address, or a list of one of each kind",
        arguments: [#""10.0.0.1""#, #""2001:db8::1""#, #"["10.0.0.1","2001:db8::1"]"#])
    func json(text: String) throws {
        let addresses = try JSONDecoder().decode(HostAddresses.self, from: Data(text.utf8))
        #expect(String(decoding: try JSONEncoder().encode(addresses), as: UTF8.self) == text)
    }

    @Test("No list, or two of a kind, are refused", arguments: ["[]", #"["10.0.0.1","10.0.0.2"]"#, #"["::1","::2"]"#])
    func refused(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(HostAddresses.self, from: Data(text.utf8))
        }
    }
}
