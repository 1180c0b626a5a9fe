import Glibc
import Testing
import VersionKitModel

@Suite("Addresses")
struct IPAddressTests {
    @Test("of IPv4 have four decimal parts and nothing else")
    func decimals() {
        #expect(IPAddress("10.0.0.1")?.v4 == 0x0A00_0001)
        #expect(IPAddress(v4: 0xC0A8_0102).description == "192.168.1.2")
        for bad in ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.x", " 1.2.3.4", "+1.2.3.4"] {
            #expect(IPAddress(bad) == nil)
        }
    }

    @Test(
        "of IPv6 are read in every form, and written in the shortest",
        arguments: [
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::0:1", "2001:db8::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("0:0:0:0:0:0:0:0", "::"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("fe80::1", "fe80::1"),
            ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::ffff:a00:1", "10.0.0.1"),
        ])
    func forms(_ text: String, _ shortest: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == shortest)
        #expect(IPAddress(shortest) == address)
    }

    @Test("that are none are not read")
    func bad() {
        for bad in [
            ":", ":::", "1", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
            "::12345", "::g", "::+1", "fe80::1%eth0", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
            "::01.2.3.4", String(repeating: "0", count: 50) + "::",
        ] {
            #expect(IPAddress(bad) == nil, "\(bad)")
        }
    }

    @Test("are read and written as the system does it, whatever they are")
    func asTheSystem() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Many zeros, which is where the forms differ.
            var high = UInt64.random(in: 1...(.max), using: &random)
            var low = UInt64.random(in: 1...(.max), using: &random)
            for shift in stride(from: 0, to: 64, by: 16) where Bool.random(using: &random) {
                high &= ~(0xFFFF << shift)
            }
            for shift in stride(from: 0, to: 64, by: 16) where Bool.random(using: &random) { low &= ~(0xFFFF << shift) }
            let address = IPAddress(high: high | 1 << 61, low: low)
            var words = (address.high.bigEndian, address.low.bigEndian)
            var text = [CChar](repeating: 0, count: 64)
            #expect(inet_ntop(AF_INET6, &words, &text, 64) != nil)
            let written = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            #expect(address.description == written)
            #expect(IPAddress(written) == address)
        }
    }

    @Test("know what they can be used for")
    func kinds() throws {
        func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
        for text in ["10.0.0.1", "2001:db8::1", "fe80::1"] { #expect(try address(text).isUnicast) }
        for text in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"] {
            #expect(try !address(text).isUnicast)
        }
        #expect(try address("fe80::1").isLinkLocal && address("febf::1").isLinkLocal)
        #expect(try !address("fec0::1").isLinkLocal && !address("169.254.0.1").isLinkLocal)
        #expect(IPAddress.Family.v4.any.description == "0.0.0.0" && IPAddress.Family.v4.loopback.family == .v4)
        #expect(IPAddress.Family.v6.any.description == "::" && IPAddress.Family.v6.loopback.description == "::1")
    }

    @Test("with a port are read and written with brackets if they are of IPv6")
    func endpoints() {
        #expect(Endpoint("10.0.0.1:7000")?.description == "10.0.0.1:7000")
        #expect(Endpoint("[2001:db8::1]:7000")?.description == "[2001:db8::1]:7000")
        for bad in [
            "10.0.0.1", "[10.0.0.1]:7000", "2001:db8::1:7000", "[2001:db8::1]", "[::1:7000", "::1]:7000", "[]:1",
        ] {
            #expect(Endpoint(bad) == nil, "\(bad)")
        }
    }

    @Test("of a host are one of each kind at most, and are written as one or as a list")
    func ofHosts() throws {
        let (four, six) = (try #require(IPAddress("10.0.0.1")), try #require(IPAddress("2001:db8::1")))
        let both = HostAddresses(six, four)
        #expect(both.all == [four, six] && both.primary == four && both[.v6] == six)
        #expect(both.contains(six) && !HostAddresses(four).contains(six))
        #expect(HostAddresses(six).primary == six && HostAddresses(six)[.v4] == nil)
    }
}
