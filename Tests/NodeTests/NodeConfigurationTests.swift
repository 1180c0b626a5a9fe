import Foundation
import Testing
import VersionKitModel
import VersionKitNode

@Suite("The configuration's addresses")
struct NodeConfigurationTests {
    private func configuration(_ address: String, _ more: String = "") throws -> NodeConfiguration {
        let text = """
            { "node": "n1", "address": \(address), "state": "/s", "control": "/c", "applications": {}\(more) }
            """
        return try JSONDecoder().decode(NodeConfiguration.self, from: Data(text.utf8))
    }

    @Test(
        "environments have addresses of the kinds that the node has",
        arguments: [
            (#""10.99.1.1""#, "10.77.0.0"), (#""2001:db8::1""#, "fd00:564b::"),
            (#"["2001:db8::1", "10.99.1.1"]"#, "10.77.0.0, fd00:564b::"),
        ])
    func kinds(address: String, networks: String) throws {
        #expect(try configuration(address).environmentNetworks().description == networks)
    }

    @Test("both networks can be chosen, and what is written is read again")
    func chosen() throws {
        let chosen = try configuration(
            #"["10.99.1.1", "2001:db8::1"]"#,
            #", "environmentNetwork": "10.88.0.0", "environmentNetwork6": "fd12:3456:789a:1::""#)
        #expect(try chosen.environmentNetworks().description == "10.88.0.0, fd12:3456:789a:1::")
        let again = try JSONDecoder().decode(NodeConfiguration.self, from: Data(chosen.encoded().utf8))
        #expect(again.address == chosen.address)
        #expect(try again.environmentNetworks() == chosen.environmentNetworks())
    }

    @Test(
        "networks of the wrong kind or size, and addresses that no host has, are refused with their name",
        arguments: [
            (#""10.0.0.1""#, #", "environmentNetwork": "fd00::""#, "environmentNetwork: fd00:: is not"),
            (#""10.0.0.1""#, #", "environmentNetwork": "10.77.1.0""#, "environmentNetwork: 10.77.1.0 is not"),
            (#""10.0.0.1""#, #", "environmentNetwork6": "10.77.0.0""#, "environmentNetwork6: 10.77.0.0 is not"),
            (#""10.0.0.1""#, #", "environmentNetwork6": "fd00::1""#, "environmentNetwork6: fd00::1 is not"),
            (#""10.0.0.1""#, #", "environmentNetwork6": "fe80::""#, "environmentNetwork6: fe80:: is not"),
            (#""fe80::1""#, "", "address: fe80::1 is no address"),
            (#""0.0.0.0""#, "", "address: 0.0.0.0 is no address"),
            (#"["10.0.0.1", "ff02::1"]"#, "", "address: ff02::1 is no address"),
        ])
    func refused(address: String, more: String, reason: String) throws {
        let error = #expect(throws: NodeError.self) { try configuration(address, more).environmentNetworks() }
        #expect(error?.description.hasPrefix(reason) == true)
    }
}
