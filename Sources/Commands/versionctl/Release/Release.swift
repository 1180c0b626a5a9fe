import ArgumentParser
import VersionKitControl
import VersionKitModel
import VersionKitReleases

struct Release: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, sign, look at and publish releases.",
        subcommands: [
            Keys.self, Make.self, Sign.self, Verify.self, Inspect.self, Diff.self, Publish.self,
        ])

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a release from its description.",
            discussion: """
                Example:
                  versionctl release make release.json --key publisher.key --output irislog-2
                  versionctl release make release.json --image app.tar --key publisher.key --output app-1

                An image is taken as it is: its layers, and, where release.json says nothing, its command, variables,
                working directory and user. Make one by `skopeo copy docker://NAME oci-archive:app.tar` or `docker buildx
                build --output type=oci,dest=app.tar`.

                "debs": ["app.deb"] names Debian packages; each becomes a layer.

                Ports for clients in release.json are TCP if they are numbers; UDP and Unix sockets are objects:
                  "ports": { "client": [6001, { "udp": 6001 }, { "unix": "irislog.sock", "port": 6001 }] }
                """)

        @Argument(help: "The description, release.json.", completion: .file(extensions: ["json"]))
        var description: String

        @Option(help: "The directory for the release.")
        var output: String

        @Option(help: "An image in OCI layout, a directory or a tar archive: the layers below the description's files.")
        var image: String?

        @Flag(help: "Leave the layers as they are, for nodes that do not know compressed ones yet.")
        var uncompressed = false

        @Option(help: "Sign it with this private key.")
        var key: String?

        func run() async throws {
            do throws(ReleaseError) {
                let maker = ReleaseMaker(runner: ProcessCommandRunner(), isCompressing: !uncompressed)
                let manifest = try await maker.make(
                    description: ReleaseDescription(contentsOf: description, image: image.map(absolute)), into: output)
                if let key { try ReleaseSigner.signRelease(in: output, with: PublisherKey(contentsOf: key)) }
                let bytes = manifest.layers.reduce(0) { $0 + $1.size }
                print("\(manifest.application) \(manifest.version) (\(manifest.name)): \(bytes) bytes in \(output)")
            } catch {
                complain("\(error)")
                throw ExitCode(1)
            }
        }
    }

    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a signature to a release that was made.")

        @Argument(help: "The release's directory.")
        var directory: String

        @Option(help: "The private key.")
        var key: String

        func run() async throws {
            try reporting { () throws(ReleaseError) in
                try ReleaseSigner.signRelease(in: directory, with: PublisherKey(contentsOf: key))
            }
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a release to this node; it upgrades, and the other nodes hear of it from this one.")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The release's directory.")
        var directory: String

        func run() async throws {
            try node.command(.publish(directory: absolute(directory)))
        }
    }
}

/// Prints a release's error and ends with 1.
func reporting(_ body: () throws(ReleaseError) -> Void) throws {
    do throws(ReleaseError) {
        try body()
    } catch {
        complain("\(error)")
        throw ExitCode(1)
    }
}
