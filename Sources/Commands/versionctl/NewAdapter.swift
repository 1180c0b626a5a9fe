import ArgumentParser
import Glibc

struct New: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Begin something new from a template.", subcommands: [Adapter.self])

    struct Adapter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a Swift package with an adapter that works, its proxy, its tests and a release.json.",
            discussion: "Example:\n  versionctl new adapter memcached && cd memcached && swift test")

        @Argument(help: "The application: a-z, 0-9 and -, beginning with a letter, such as memcached.")
        var name: String

        @Option(help: "The directory for the package, which must not exist yet; by default the name.")
        var output: String?

        @Option(
            help: "A checkout of VersionKit to depend on, instead of its repository.", completion: .directory)
        var versionkit: String?

        func run() async throws {
            do throws(NewPackageError) {
                let directory = output ?? name
                try NewPackage(name: name, versionkit: versionkit.map(absolute)).write(to: directory)
                print("\(directory): `swift test` there, then read its README.md")
            } catch {
                complain("\(error)")
                throw ExitCode(EX_USAGE)
            }
        }
    }
}
