import ArgumentParser
import VersionKitControl
import VersionKitModel

struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take an application's newest version away on this node, or go back to a snapshot.",
        discussion: """
            Without --snapshot this is possible as long as the older version runs, and loses nothing. With --snapshot the \
            version of the snapshot serves again with what it had then, also if it had retired. What was written since is \
            replayed to it if the newer release says so ("retirement": { "replay": true }), and is lost otherwise.

            Examples:
              versionctl rollback irislog
              versionctl snapshot list
              versionctl rollback irislog --snapshot irislog-1-1795292089-7f3a
              versionctl rollback irislog --snapshot irislog-1-1795292089-7f3a --clean
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application, such as irislog.")
    var application: String

    @Option(help: "The snapshot to go back to.")
    var snapshot: String?

    @Flag(help: "With --snapshot: the version of the snapshot begins with clean state, as when it was installed.")
    var clean = false

    @Flag(
        name: .customLong("no-replay"),
        help: "With --snapshot: what was written since is lost, also where a release says that it is replayed.")
    var isNotReplayed = false

    func validate() throws {
        if isNotReplayed, snapshot == nil {
            throw ValidationError("--no-replay says what a snapshot gets: name one by --snapshot")
        }
        if clean, snapshot == nil { throw ValidationError("--clean says how a version begins: name one by --snapshot") }
    }

    func run() async throws {
        let id = try applicationID(application)
        try node.command(
            snapshot.map { .restore(application: id, snapshot: $0, isClean: clean, isReplayed: !isNotReplayed) }
                ?? .rollback(application: id))
    }
}
