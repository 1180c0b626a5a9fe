import ArgumentParser
import VersionKitReleases

extension Release {
    struct Keys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make and show publishers' keys.",
            discussion: """
                Examples:
                  versionctl release keys make --output publisher.key
                  versionctl release keys show publisher.key
                  versionctl release keys list ~/keys
                """,
            subcommands: [Make.self, Show.self, List.self], defaultSubcommand: Make.self)

        struct Make: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Make a publisher's key pair, and print the public key that nodes pin.")

            @Option(help: "The file for the private key, which must not exist yet. Keep it off the nodes.")
            var output: String

            func run() async throws {
                try reporting { () throws(ReleaseError) in
                    let key = PublisherKey.generate()
                    try key.write(to: output)
                    print(key.publicKey)
                }
            }
        }

        struct Show: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Print the public key and its id, by which signature files name it.")

            @Argument(help: "A private key's file, or a public key, ed25519:....")
            var key: String

            func run() async throws {
                try reporting { () throws(ReleaseError) in
                    let known = PublisherPublicKey(key)
                    let key = if let known { known } else { try PublisherKey(contentsOf: key).publicKey }
                    print("\(key)  \(key.keyID)")
                }
            }
        }

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Print the public keys and ids of the private keys in a directory.")

            @Argument(help: "The directory. Files that hold no key are left out.")
            var directory = "."

            func run() async throws {
                try reporting { () throws(ReleaseError) in
                    for name in try PublisherKey.names(in: directory) {
                        do throws(ReleaseError) {
                            let key = try PublisherKey(contentsOf: "\(directory)/\(name)").publicKey
                            print("\(key)  \(key.keyID)  \(name)")
                        } catch {
                            complain("\(error)")
                        }
                    }
                }
            }
        }
    }
}
