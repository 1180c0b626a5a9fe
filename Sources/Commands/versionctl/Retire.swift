import ArgumentParser
import VersionKitControl
import VersionKitModel

struct Retire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Retire an application's older version on this node, whoever still needs it.",
        discussion: """
            An older version retires by itself when no peer and no client needs it. This is for one that would be kept too \
            long: what it has is copied to the newer version once more, or the two are compared, clients' reads leave it, and \
            it is stopped and removed. No write is lost: if it cannot be copied it stays, and explain says why. Said again \
            then, it goes without, and what only it has is lost. Peers that run only the older version do not find it on this node any more, and a \
            rollback needs a snapshot from then on. For a peer that is gone for good, forget-peer is milder.

            Example:
              versionctl retire irislog
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application, such as irislog.", transform: applicationID)
    var application: ApplicationID

    func run() async throws {
        try node.command(.retire(application: application))
    }
}
