import NIOCore
import Testing
import VersionKitModel
import VersionKitProxy

@Suite("What versions are known to lack")
struct VersionStandingsTests {
    private func lacking(_ unlike: [(Version, String)], behind: Set<Version> = [], of versions: VersionList = [1, 2])
        -> VersionStandings
    {
        VersionStandings(
            versions: versions, behind: behind, unlike: unlike.map { .init(version: $0.0, keys: key($0.1)) })
    }

    private func key(_ name: String) -> Keys { .key(ByteBuffer(string: name)) }

    @Test("the newest version's word counts about all keys but those that it lacks")
    func authority() {
        let standings = lacking([(2, "a")])
        #expect(standings.authority(in: key("b")) == 2)
        #expect(standings.authority(in: key("a")) == 1)
        #expect(standings.authority(for: 2, in: key("b")) == 1)
        #expect(lacking([], behind: [2]).authority() == 1)
        #expect(
            lacking([(2, "a"), (1, "b")]).authority(in: Keys([ByteBuffer(string: "a"), ByteBuffer(string: "b")])) == nil
        )
    }

    @Test("a version that nobody reads from is the truth only if there is no other")
    func roles() {
        var versions: VersionList = [2]
        versions.insert(3, role: .writesOnly)
        #expect(lacking([], of: versions).authority() == 2)
        #expect(lacking([], behind: [2], of: versions).authority() == 3)
        versions.insert(3, role: .filling)
        #expect(lacking([], behind: [2], of: versions).authority() == nil)
    }

    @Test("a version is compared with another that has everything")
    func falls() {
        #expect(lacking([]).fallen(with: 1) == [1])
        #expect(lacking([(2, "a")]).fallen(with: 2) == [2])
        #expect(lacking([], behind: [2]).fallen(with: 2) == [2])
    }

    @Test("the last version that has everything is not compared with those that lack something: they are with it")
    func last() {
        #expect(lacking([], behind: [2]).fallen(with: 1) == [2])
        #expect(lacking([(2, "a")]).fallen(with: 1) == [2])
        #expect(lacking([(2, "a")], behind: [3], of: [1, 2, 3]).fallen(with: 1) == [2, 3])
        var versions: VersionList = [1]
        versions.insert(2, role: .filling)
        #expect(lacking([], of: versions).fallen(with: 1) == [2])
        #expect(lacking([], of: versions).fallen(with: 2) == [2])
    }

    @Test("as long as each version lacks another key, none is compared: its word about the others' keys is needed")
    func each() {
        #expect(lacking([(1, "b"), (2, "a")]).fallen(with: 1) == [])
        #expect(lacking([(1, "b"), (2, "a")]).fallen(with: 2) == [])
        // A third one that has everything makes it possible.
        #expect(lacking([(1, "b"), (2, "a")], of: [1, 2, 3]).fallen(with: 1) == [1])
        #expect(lacking([(1, "b"), (2, "a")], of: [1, 2, 3]).fallen(with: 3) == [1, 2])
    }
}
