import ArgumentParser
import VersionKitControl
import VersionKitModel
import VersionKitReleases

struct ForgetPeer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget-peer",
        abstract: "Forget a peer that is gone for good, so that no old version is kept for it on this node.",
        discussion: """
            Do it on each node that still lists the peer in `versionctl status`. A peer that is heard again is known \
            again. A peer that was heard at an IPv4 and at an IPv6 address is listed twice, and forgotten twice. \
            Silent peers are forgotten by themselves after `peerSilenceSeconds` of versiond's configuration.

            Example:
              versionctl forget-peer irislog 10.0.0.7
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application, such as irislog.", transform: applicationID)
    var application: ApplicationID

    @Argument(help: "The peer's address, of IPv4 or IPv6.", transform: ipAddress)
    var address: IPAddress

    func run() async throws {
        try node.command(.forgetPeer(application: application, address: address))
    }
}

struct FleetKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet-key",
        abstract: "Make the key with which the routers of a fleet prove to each other who speaks.",
        discussion: """
            Make one for the whole fleet, copy it to every node, readable by its owner alone, and name it as "fleetKey" \
            in each versiond's configuration.

            Example:
              versionctl fleet-key --out /etc/versionkit/fleet.key
            """)

    @Option(name: .customLong("out"), help: "The file for the key, which must not exist yet.")
    var output: String

    func run() async throws {
        try reporting { () throws(ReleaseError) in try FleetKey.make(at: output) }
    }
}
