import ArgumentParser
import Glibc
import VersionKitControl
import VersionKitModel
import VersionKitReleases

struct Trust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whose releases of an application nodes run.", subcommands: [Root.self])

    struct Root: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make, sign and publish roots: the keys that speak for an application.",
            discussion: """
                Nodes pin the first root; each next one is signed by enough keys of the one before and of its own.

                Examples:
                  versionctl trust root make --application irislog --threshold 2 --expires 365d --output root-1.json \
                KEY KEY KEY
                  versionctl trust root sign root-1.json --key publisher.key
                  versionctl trust root make --from root-1.json --expires 365d --output root-2.json KEY KEY KEY
                  versionctl trust root verify root-2.json --after root-1.json
                  versionctl trust root publish root-2.json
                """,
            subcommands: [Make.self, Sign.self, Verify.self, Show.self, Publish.self])
    }
}

extension Trust.Root {
    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a root that is still to be signed.")

        @Option(help: "The application, for its first root.", transform: applicationID)
        var application: ApplicationID?

        @Option(name: .customLong("from"), help: "The root that it follows.", completion: .file())
        var predecessor: String?

        @Option(help: "How many of the keys have to sign; by default as many as for the root before, or 1.")
        var threshold: Int?

        @Option(
            help: "When it stops to count: 2027-03-31T12:00:00Z, or from now on: 365d, 12h, 30m.", transform: expiry)
        var expires: UTCTime

        @Option(help: "The file to write.", completion: .file())
        var output: String

        @Argument(help: "The public keys, ed25519:...; by default those of the root before.", transform: publicKey)
        var keys: [PublisherPublicKey] = []

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                var root: TrustRoot
                if let predecessor {
                    root = try SignedDocument(contentsOf: predecessor).content
                    root.number += 1
                    root.expires = expires
                    root.threshold = threshold ?? root.threshold
                    if !keys.isEmpty { root.keys = keys }
                } else if let application {
                    root = TrustRoot(
                        application: application, number: 1, expires: expires, threshold: threshold ?? 1, keys: keys)
                } else {
                    throw ReleaseError(
                        .malformed, "neither an application nor a root to follow is given", side: .publisher,
                        remedy: "use --application for the first root, --from for a next one")
                }
                let document = try SignedDocument(root)
                try document.write(to: output)
                print(
                    "root \(root.number) of \(root.application): \(root.threshold) of \(root.keys.count) keys have to sign"
                )
            }
        }
    }

    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a signature to a root.")
        @OptionGroup var options: SignOptions
        func run() async throws { try options.sign(TrustRoot.self) }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say whether enough keys have signed a root.")

        @Argument(help: "The root.", completion: .file())
        var file: String

        @Option(help: "The root before, whose keys have to have signed, too.", completion: .file())
        var after: String?

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                let root = try SignedDocument<TrustRoot>(contentsOf: file)
                if let after {
                    var state = try TrustState(pinned: SignedDocument(contentsOf: after))
                    try state.accept(root)
                } else {
                    _ = try TrustState(pinned: root)
                }
                print("root \(root.content.number) of \(root.content.application) is signed by enough keys")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print what a root says.")

        @Argument(help: "The root.", completion: .file())
        var file: String

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                let document = try SignedDocument<TrustRoot>(contentsOf: file)
                let root = document.content
                print(
                    "\(root.application) root \(root.number), until \(root.expires), \(root.threshold) of these keys:")
                for key in root.keys {
                    print("  \(key.keyID) \(key)\(document.keyIDs.contains(key.keyID) ? " signed" : "")")
                }
            }
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a root to this node; the other nodes get it from this one.")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The root.", completion: .file())
        var file: String

        func run() async throws { try node.command(.publishRoot(file: absolute(file))) }
    }
}

/// What it takes to sign a document.
struct SignOptions: ParsableArguments {
    @Argument(help: "The file, to which the signature is added.", completion: .file())
    var file: String

    @Option(help: "The private key.", completion: .file())
    var key: String

    func sign<Content: TrustDocument>(_: Content.Type) throws {
        try reporting { () throws(ReleaseError) in
            var document = try SignedDocument<Content>(contentsOf: file)
            try document.sign(with: PublisherKey(contentsOf: key))
            try document.write(to: file)
            print("\(Content.title) \(document.content.number) is signed by \(document.keyIDs.joined(separator: ", "))")
        }
    }
}

/// A public key on the command line.
func publicKey(_ text: String) throws -> PublisherPublicKey {
    guard let key = PublisherPublicKey(text) else { throw ValidationError("'\(text)' is not a publisher's public key") }
    return key
}

/// A time on the command line, or one from now on.
func expiry(_ text: String) throws -> UTCTime {
    if let time = UTCTime(text) { return time }
    let units: [Character: Int64] = ["d": 86_400, "h": 3600, "m": 60, "s": 1]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
        (0...1_000_000).contains(count)
    else {
        throw ValidationError("'\(text)' is not a time: write 2027-03-31T12:00:00Z, or 30d, 12h, 30m, 90s from now on")
    }
    return utcNow() + count * unit
}

/// The time of day, for what publishers say of days.
func utcNow() -> UTCTime { UTCTime(seconds: Int64(time(nil))) }
