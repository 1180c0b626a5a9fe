import Testing
import VersionKitModel
import VersionKitReleases

@Suite("ReleaseDescription")
struct ReleaseDescriptionTests {
    private static let good = """
        {
            "application": "irislog", "version": 2, "name": "2.0", "replaces": 1,
            "ports": { "peer": [6000], "client": [6001] },
            "files": "root",
            "start": ["/usr/bin/irislogd", "--port", "6000"],
            "health": { "port": 6001 },
            "proxy": "/usr/bin/irislog-proxy",
            "retirement": { "messagesPerSecond": 1, "periodMilliseconds": 60000, "replay": true },
            "spread": { "canaryPercent": 5, "promotions": 2 },
            "configurationPath": "/etc/irislog", "dataPath": "/var/lib/irislog"
        }
        """

    private func read(_ text: String) throws -> ReleaseDescription {
        try ReleaseDescription(jsonBytes: Array(text.utf8), file: "release.json", directory: "/somewhere")
    }

    @Test("a description is read")
    func good() throws {
        let description = try read(Self.good)
        #expect(description.files == ["root"])
        #expect(description.manifest.version == 2)
        #expect(description.manifest.replaces == 1)
        #expect(description.manifest.ports == .init(peer: [6000], client: [6001]))
        #expect(description.manifest.proxy == ["/usr/bin/irislog-proxy"])
        #expect(description.manifest.migrator == nil)
        #expect(description.manifest.retirement.messagesPerSecond == 1)
        #expect(description.manifest.retirement.replay == true)
        #expect(description.manifest.spread == StagedSpread(canaryPercent: 5, promotions: 2))
        #expect(description.manifest.dataPath == "/var/lib/irislog")
    }

    @Test("client ports are TCP, UDP and Unix sockets")
    func clientPorts() throws {
        let ports = #"[6001, { "udp": 53 }, { "tcp": 80 }, { "unix": "a.sock", "port": 6001 }]"#
        let parts = Self.good.split(separator: "[6001]", maxSplits: 1, omittingEmptySubsequences: false)
        let description = try read(parts.joined(separator: ports))
        #expect(
            description.manifest.ports.client == [6001, .udp(53), 80, .unix(name: "a.sock", port: 6001)])
    }

    @Test(
        "a mistake is reported with the file, the key, and what it should be",
        arguments: [
            (#""version": 2"#, #""version": "two""#, #""version" is the text "two": it should be a version's number"#),
            (#""version": 2"#, #""version": 0"#, #""version" is the number 0"#),
            (#""version": 2, "#, "", #""version" is missing"#),
            (#""files": "root""#, #""file": "root""#, #""file" is not a key that is known here: known are"#),
            (#""files": "root""#, #""files": [1]"#, #""files" is the number 1"#),
            (#""port": 6001"#, #""prot": 6001"#, #""health.prot" is not a key"#),
            (#"[6000]"#, #"[{ "udp": 6000 }]"#, #""ports.peer" has no TCP port"#),
            (#"[6001]"#, #"[66001]"#, #""ports.client" is the number 66001: it should be a list of port numbers"#),
            (#"[6001]"#, #"[{ "udp": 0 }]"#, #""ports.client[0].udp" is the number 0"#),
            (#"[6001]"#, #"[{ "udp": 53, "tcp": 53 }]"#, #""ports.client[0].tcp" is not a key"#),
            (#"[6001]"#, #"[{ "unix": "a.sock" }]"#, #""ports.client[0].port" is missing"#),
            (#"[6001]"#, #"[{}]"#, #""ports.client[0]" is an object: it should be a list of port numbers"#),
            (#"[6001]"#, #"6001"#, #""ports.client" is the number 6001"#),
            (#""irislog""#, #""IrisLog""#, #""application" is the text "IrisLog": it should be a name"#),
            (#"{ "port": 6001 }"#, "true", #""health" is true or false"#),
            (#""promotions": 2"#, #""promotions": 33"#, #""spread.promotions" is the number 33"#),
            (#""replay": true"#, #""replay": 1"#, #""retirement.replay" is the number 1"#),
            (#""messagesPerSecond": 1"#, #""messagesPerSecond": {}"#, #""retirement.messagesPerSecond" is an object"#),
            (#""files": "root","#, #""files": "root""#, "not JSON, at line 5, column 5: check commas"),
        ])
    func mistakes(_ original: String, _ replacement: String, _ message: String) async throws {
        let parts = Self.good.split(separator: original, maxSplits: 1, omittingEmptySubsequences: false)
        let text = parts.joined(separator: replacement)
        let error = try #require(await failure { _ = try read(text) })
        #expect(error.code == .badDescription)
        #expect(error.side == .publisher)
        #expect(error.message.hasPrefix("release.json: "))
        #expect(error.description.contains(message))
    }

    @Test(
        "a slip of the pen is reported with its line and column",
        arguments: [
            ("{\n  \"a\": 1\n  \"b\": 2\n}", "line 3, column 3"),
            ("[1, 2", "line 1, column 6"), ("{\"a: 1\n}", "line 1, column 7"), ("{\"a\": yes}", "line 1, column 7"),
            ("{} x", "line 1, column 4"), ("{\"a\\", "line 1, column 5"),
        ])
    func slips(_ text: String, _ place: String) async {
        #expect(await failure { _ = try read(text) }?.message == "release.json: not JSON, at \(place)")
    }

    @Test("what is no object at all is refused", arguments: ["", "[]", "1", "null", "{"])
    func noObject(_ text: String) async {
        #expect(await failure { _ = try read(text) }?.code == .badDescription)
    }
}
