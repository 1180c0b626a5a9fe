import ArgumentParser
import VersionKitControl
import VersionKitModel
import VersionKitReleases

struct ChannelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "channel",
        abstract: "Say which releases of an application the fleet may begin to run, and which have to go.",
        discussion: """
            Each change gives the channel the next number and takes its signatures away; sign it and publish it then. Nodes \
            begin nothing new once it has expired: `renew` it in time.

            Examples:
              versionctl channel make --application irislog --expires 30d channel.json
              versionctl channel offer channel.json irislog-2 --expires 30d
              versionctl channel sign channel.json --key publisher.key
              versionctl channel publish channel.json
              versionctl channel withdraw channel.json 2 --reason "loses writes" --expires 30d
            """,
        subcommands: [
            Make.self, Offer.self, Withdraw.self, Renew.self, Forget.self, Sign.self, Verify.self, Show.self,
            Publish.self,
        ])

    /// The file and the time until which its next state counts.
    struct Change: ParsableArguments {
        @Argument(help: "The channel's file.", completion: .file())
        var file: String

        @Option(help: "When it stops to count: 2027-03-31T12:00:00Z, or from now on: 30d, 12h, 30m.", transform: expiry)
        var expires: UTCTime

        func run(_ body: (inout ReleaseChannel) throws(ReleaseError) -> Void) throws {
            try reporting { () throws(ReleaseError) in
                var channel = try SignedDocument<ReleaseChannel>(contentsOf: file).content
                channel.number += 1
                channel.expires = expires
                try body(&channel)
                try SignedDocument(channel).write(to: file)
                print("channel \(channel.number) of \(channel.application) has to be signed now")
            }
        }
    }

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an application's first channel, which offers nothing.")

        @Option(help: "The application.", transform: applicationID)
        var application: ApplicationID

        @Option(help: "When it stops to count: 2027-03-31T12:00:00Z, or from now on: 30d, 12h, 30m.", transform: expiry)
        var expires: UTCTime

        @Argument(help: "The file to write.", completion: .file())
        var file: String

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                guard try Disk.kind(of: file) == nil else {
                    throw ReleaseError(
                        .conflict, "\(file) exists already", side: .publisher,
                        remedy: "go on with it; nodes refuse numbers that were used before")
                }
                try SignedDocument(ReleaseChannel(application: application, number: 1, expires: expires)).write(
                    to: file)
            }
        }
    }

    struct Offer: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Offer a release.")

        @OptionGroup var change: Change

        @Argument(help: "The release's directory.", completion: .directory)
        var release: String

        func run() async throws {
            try change.run { (channel) throws(ReleaseError) in
                let release = try ReleaseDirectory(release)
                let manifest = try ReleaseManifest(jsonBytes: release.manifestBytes)
                guard manifest.application == channel.application else {
                    throw ReleaseError(
                        .otherApplication,
                        "this is a release of \(manifest.application), not of \(channel.application)",
                        side: .publisher)
                }
                try channel.offer(manifest.version, manifest: release.manifestDigest)
            }
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraw a release, for good: nodes take it away if they can, and never begin it again.")

        @OptionGroup var change: Change

        @Argument(help: "The version.")
        var version: UInt32

        @Option(help: "Why, in one line: nodes show it.")
        var reason: String

        func run() async throws {
            let version = try versionNumber(version)
            try change.run { (channel) throws(ReleaseError) in try channel.withdraw(version, reason: reason) }
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Have a channel count for longer.")
        @OptionGroup var change: Change
        func run() async throws { try change.run { (_) throws(ReleaseError) in } }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave releases out that are too old for any node, so that there is room for more.")

        @OptionGroup var change: Change

        @Option(help: "The oldest version that stays.")
        var before: UInt32

        func run() async throws {
            let version = try versionNumber(before)
            try change.run { (channel) throws(ReleaseError) in channel.forget(before: version) }
        }
    }

    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a signature to a channel.")
        @OptionGroup var options: SignOptions
        func run() async throws { try options.sign(ReleaseChannel.self) }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether enough keys of a root have signed a channel.")

        @Argument(help: "The channel's file.", completion: .file())
        var file: String

        @Option(help: "The root.", completion: .file())
        var root: String

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                var state = try TrustState(pinned: SignedDocument(contentsOf: root))
                let channel = try SignedDocument<ReleaseChannel>(contentsOf: file)
                try state.accept(channel, at: UTCTime(seconds: 0))
                print("channel \(channel.content.number) of \(channel.content.application) is signed by enough keys")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print what a channel says.")

        @Argument(help: "The channel's file.", completion: .file())
        var file: String

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                let document = try SignedDocument<ReleaseChannel>(contentsOf: file)
                let channel = document.content
                let signers = document.keyIDs.isEmpty ? "nobody" : document.keyIDs.joined(separator: ", ")
                print(
                    "\(channel.application) channel \(channel.number), until \(channel.expires), signed by \(signers)")
                for release in channel.releases {
                    print(
                        "  version \(release.version) \(release.state.rawValue) \(release.manifest)"
                            + (release.reason.map { ": \($0)" } ?? ""))
                }
            }
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a channel to this node; the other nodes get it from this one.")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The channel's file.", completion: .file())
        var file: String

        func run() async throws { try node.command(.publishChannel(file: absolute(file))) }
    }
}

/// A version on the command line.
func versionNumber(_ number: UInt32) throws -> Version {
    guard let version = Version(number) else { throw ValidationError("\(number) is no version's number") }
    return version
}
