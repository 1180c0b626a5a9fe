import ArgumentParser
import FoundationEssentials
import VersionKitModel
import VersionKitReleases

extension Release {
    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a release is made of: layers, sizes, chunks, who signed it. Nothing is checked; see verify."
        )

        @Argument(help: "The release's directory.")
        var directory: String

        @Flag(help: "One JSON object, for machines.")
        var json = false

        @Flag(help: "The files of all layers, too.")
        var files = false

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                let summary = try ReleaseSummary(ReleaseFolder(directory), withFiles: files)
                print(json ? String(decoding: JSON.encode(summary), as: UTF8.self) : summary.table)
            }
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "What is other in a release: files, and the bytes that a node with the first fetches of the second.")

        @Argument(help: "The earlier release's directory.")
        var earlier: String

        @Argument(help: "The later release's directory.")
        var later: String

        @Flag(help: "One JSON object, for machines.")
        var json = false

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                let difference = try ReleaseDifference(from: ReleaseFolder(earlier), to: ReleaseFolder(later))
                print(json ? String(decoding: JSON.encode(difference), as: UTF8.self) : difference.text)
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a whole release as a node does: signature, expiry, layers, chunks, torrent file.",
            discussion: """
                Not checked is what only a node knows: which versions it runs, and what its root and its channel say of \
                the release. One good signature suffices here, also where a node's root wants several.

                Exit codes: 0 all is well, 1 it is not (the reason is printed), 64 wrong usage.

                Example:
                  versionctl release verify irislog-2 --key ed25519:...
                """)

        @Argument(help: "The release's directory.")
        var directory: String

        @Option(help: "A publisher's public key, as nodes pin it; can be given several times.")
        var key: [String]

        func validate() throws {
            guard !key.isEmpty else { throw ValidationError("name at least one key by --key") }
            for text in key where PublisherPublicKey(text) == nil {
                throw ValidationError("'\(text)' is no public key; it should be ed25519: and base64")
            }
        }

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                let release = try ReleaseFolder(directory)
                try release.verify(
                    TrustPolicy(
                        application: release.manifest.application, keys: key.compactMap(PublisherPublicKey.init(_:))),
                    at: utcNow())
                print("\(release.manifest.application) \(release.manifest.version) is whole, and signed by a key given")
            }
        }
    }
}
