import ArgumentParser
import VersionKitControl
import VersionKitModel

struct Promote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have all nodes begin a release that is tried out on some.",
        discussion: """
            This node vouches for the release without waiting any longer, and all others hear of it. It needs the fleet's \
            key. A release that asks for several nodes is promoted on as many.

            Example:
              versionctl promote irislog 2
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application, such as irislog.", transform: applicationID)
    var application: ApplicationID

    @Argument(help: "The number of the version.", transform: versionNumber)
    var number: Version

    func run() async throws {
        try node.command(.judge(application: application, version: number, promotes: true))
    }
}

struct Withdraw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a release away from all nodes, and lose nothing that was written.",
        discussion: """
            Nodes that have the old version still go back to it; those that wait do not begin, and none begins again. A \
            node on which it serves alone runs the version before it again, brings it everything that was written, and \
            then retires the release. It needs the fleet's key, and reaches nodes that are down when they come back.

            Example:
              versionctl withdraw irislog 2 --reason "slow queries"
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application, such as irislog.", transform: applicationID)
    var application: ApplicationID

    @Argument(help: "The number of the version.", transform: versionNumber)
    var number: Version

    @Option(help: "Why, for all nodes' logs; at most 300 bytes count.")
    var reason: String?

    func run() async throws {
        try node.command(
            .judge(application: application, version: number, promotes: false, reason: reason))
    }
}
