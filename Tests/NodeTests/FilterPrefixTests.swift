import FoundationEssentials
import Testing
import VersionKitModel
import VersionKitNode
import VersionKitRouter

@Suite("Filters in versiond's configuration")
struct FilterPrefixTests {
    private func filter(_ prefixes: String) throws -> PrefixFilter? {
        let text = #"{ "publishers": [], "filter": \#(prefixes) }"#
        return try JSONDecoder().decode(NodeConfiguration.Application.self, from: Data(text.utf8)).prefixFilter()
    }

    @Test("prefixes are written as text or as hexadecimal digits")
    func forms() throws {
        let expected = PrefixFilter([.init(Array("LOG1 ".utf8), 1), .init([0x4C, 0x02], 2)])
        #expect(
            try filter(#"[{ "version": 1, "text": "LOG1 " }, { "version": 2, "hex": "4c02" }]"#) == expected)
        #expect(try filter("[]") == nil)
    }

    @Test(
        "a prefix that is written wrongly stops versiond at its start, with the reason",
        arguments: [
            (#"[{ "version": 1 }]"#, "either"), (#"[{ "version": 1, "text": "a", "hex": "61" }]"#, "either"),
            (#"[{ "version": 1, "hex": "4" }]"#, "two digits"), (#"[{ "version": 1, "hex": "xy" }]"#, "hexadecimal"),
        ])
    func mistakes(text: String, reason: String) {
        #expect { try filter(text) } throws: { "\($0)".contains(reason) }
    }
}
