import ArgumentParser
import VersionKitControl
import VersionKitModel

struct Retire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Retire an application's older version on this node, whoever still needs it.",
        discussion: """
            An older version retires by itself when no peer and no client needs it. This is for one that would be kept too \
            long: clients' reads leave it at once, it is compared with the newer version once more, and it is stopped and \
            removed. No write is lost. Peers that run only the older version do not find it on this node any more, and a \
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
