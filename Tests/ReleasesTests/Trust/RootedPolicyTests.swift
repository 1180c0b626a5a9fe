import Testing
import VersionKitModel
import VersionKitReleases

@Suite("Releases under a root")
struct RootedPolicyTests {
    private let now = Publishers.now

    /// What a node knows whose channel offers this release as version 1.
    private func state(_ publishers: Publishers, offering release: ReleaseDirectory) throws -> TrustState {
        var channel = ReleaseChannel(application: publishers.application, number: 1, expires: now + 100)
        try channel.offer(1, manifest: release.manifestDigest)
        var document = try SignedDocument(channel)
        for key in publishers.keys.prefix(2) { try document.sign(with: key) }
        return try publishers.state(document)
    }

    private func verify(_ release: ReleaseDirectory, _ state: TrustState) -> ReleaseError.Code? {
        code { () throws(ReleaseError) in
            _ = try state.policy.verify(manifestBytes: release.manifestBytes, signatureBytes: release.signatureBytes)
        }
    }

    @Test("a threshold of distinct keys of the root has to sign a release, one after the other")
    func threshold() async throws {
        let (publishers, bench) = (try Publishers(), try Workbench())
        try await bench.makeRelease(into: "out")
        let path = bench.path("out")
        let state = try state(publishers, offering: ReleaseDirectory(path))
        #expect(verify(try ReleaseDirectory(path), state) == .unknownKey, "only the workbench has signed")
        try ReleaseSigner.signRelease(in: path, with: publishers.keys[0])
        #expect(verify(try ReleaseDirectory(path), state) == .thresholdNotReached)
        try ReleaseSigner.signRelease(in: path, with: publishers.keys[0])
        try ReleaseSigner.signRelease(in: path, with: publishers.keys[3])
        #expect(verify(try ReleaseDirectory(path), state) == .thresholdNotReached)
        try ReleaseSigner.signRelease(in: path, with: publishers.keys[2])
        #expect(verify(try ReleaseDirectory(path), state) == nil)
        #expect(bench.key.publicKey != publishers.keys[2].publicKey)
        // Whoever pinned the workbench's key alone is served by the same file.
        #expect(
            code { () throws(ReleaseError) in
                let release = try ReleaseDirectory(path)
                _ = try bench.trust.verify(
                    manifestBytes: release.manifestBytes, signatureBytes: release.signatureBytes)
            } == nil)
    }

    @Test("a release is taken only with the manifest that the channel names")
    func mixed() async throws {
        let (publishers, bench) = (try Publishers(), try Workbench())
        for (version, name) in [(1, "first"), (2, "second")] as [(Version, String)] {
            try await bench.makeRelease(version: version, into: name)
            for key in publishers.keys.prefix(2) { try ReleaseSigner.signRelease(in: bench.path(name), with: key) }
        }
        let (first, second) = (try ReleaseDirectory(bench.path("first")), try ReleaseDirectory(bench.path("second")))
        #expect(verify(first, try state(publishers, offering: first)) == nil)
        #expect(verify(second, try state(publishers, offering: first)) == .notOffered)
        #expect(verify(first, try state(publishers, offering: second)) == .notOffered)
        #expect(verify(first, try publishers.state()) == .notOffered, "without a channel nothing is")
        let store = try bench.store()
        let policy = try state(publishers, offering: second).policy
        let path = bench.path("first")
        #expect(
            code { () throws(ReleaseError) in try store.importRelease(from: path, trust: policy) } == .notOffered)
        #expect(try store.releases().releases.isEmpty)
    }

    @Test("a signature file takes no more keys than a node reads")
    func tooMany() async throws {
        let bench = try Workbench()
        try await bench.makeRelease(into: "out")
        let path = bench.path("out")
        for _ in 2...16 { try ReleaseSigner.signRelease(in: path, with: .generate()) }
        #expect(
            code { () throws(ReleaseError) in try ReleaseSigner.signRelease(in: path, with: .generate()) }
                == .limitExceeded)
        try ReleaseSigner.signRelease(in: path, with: bench.key)
    }

    @Test("a release says in its description until when it may be begun")
    func expires() throws {
        let bench = try Workbench()
        func description(_ expires: String) throws(ReleaseError) -> ReleaseDescription {
            let text = """
                { "application": "irislog", "version": 2, "ports": { "peer": [6000] }, "files": "root",
                  "start": ["/bin/irislogd"], "health": { "port": 6000 }, "expires": "\(expires)" }
                """
            return try ReleaseDescription(jsonBytes: Array(text.utf8), file: "release.json", directory: bench.root)
        }
        let manifest = try description("2027-03-31T12:00:00Z").manifest
        #expect(manifest.expires == UTCTime("2027-03-31T12:00:00Z"))
        #expect(manifest.formatNeeded == 3)
        #expect(code { () throws(ReleaseError) in _ = try description("tomorrow") } == .badDescription)
    }
}
