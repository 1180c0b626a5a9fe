import Testing

/// Goal: what the tutorial has its readers write and type, from two releases of memcached to the upgrade on a node,
/// works. Method: the page is followed line by line, with real servers, the example's proxy, and the text's own files,
/// commands and addresses.
@Suite("The tutorial of the memcached adapter")
struct MemcachedTutorialTests {
    private static let page = "Sources/VersionKit/VersionKit/VersionKit.docc/Memcached.md"

    @Test("by what it says two releases are made and one replaces the other, and a value is there all the while")
    func followed() async throws {
        let steps = try TutorialStep.read(Self.page, from: "## Step 8: two releases")
        let files = steps.compactMap { if case .write(let file, _) = $0 { file } else { nil } }
        #expect(files == ["release-1.json", "release-2.json", "versiond.json"])
        let reader = try TutorialReader(address: "10.99.1.1")
        for step in steps { try await reader.follow(step) }
        #expect(reader.answers == ["STORED\r\n", "VALUE greeting 0 5\r\nhello\r\nEND\r\n"])
        #expect(reader.guestsAnswers == ["VALUE greeting 0 5 hello END"])
    }
}
