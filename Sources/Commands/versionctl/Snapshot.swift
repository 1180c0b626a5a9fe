import ArgumentParser
import FoundationEssentials
import VersionKitControl
import VersionKitModel

struct Snapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep versions as they are, and see what was kept.",
        subcommands: [Take.self, List.self, Remove.self])

    struct Take: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a running version as it is now; it stands still for a moment.",
            discussion: """
                Example:
                  versionctl snapshot take irislog
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The application, such as irislog.")
        var application: String

        @Option(name: .customLong("version"), help: "The version; by default the newest that serves.")
        var number: UInt32?

        @Flag(help: "Its memory, too, if its kind of environment can: it goes on where it was.")
        var memory = false

        func run() async throws {
            let version = try number.map { number in
                guard let version = Version(number) else {
                    throw ValidationError("\(number) is no version's number")
                }
                return version
            }
            try node.command(
                .snapshot(
                    application: try applicationID(application), version: version, level: memory ? .memory : .files))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The snapshots of this node, the oldest first.")

        @OptionGroup var node: NodeOptions

        @Flag(help: "For machines.")
        var json = false

        func run() async throws {
            guard case .snapshots(let list) = try node.ask(.snapshots) else { return }
            if json { return print(String(decoding: try JSONEncoder().encode(list), as: UTF8.self)) }
            if list.isEmpty { return print("no snapshots") }
            for snapshot in list {
                let time = Date(timeIntervalSince1970: TimeInterval(snapshot.time)).formatted(.iso8601)
                print(
                    "\(snapshot.id)  \(time)  version \(snapshot.version) (\(snapshot.kind))  \(snapshot.level.rawValue)  "
                        + "\(snapshot.bytes) bytes  \(snapshot.reason)")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a snapshot.")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The snapshot's name.")
        var snapshot: String

        func run() async throws { try node.command(.removeSnapshot(snapshot)) }
    }
}
