import ArgumentParser
import FoundationEssentials
import Glibc
import VersionKitControl

struct Restart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the node's versiond go on as another one, in the same process: nothing that it runs notices.",
        discussion: """
            Refused while an upgrade does more than wait for the old version's last message, and if the other versiond \
            does not understand this one's state.

            Examples:
              versionctl restart                               the program that was installed in its place
              versionctl restart --binary /opt/versionkit-2/bin/versiond
            """)

    /// How long the new versiond may take until it answers.
    private static let patience = Duration.seconds(30)

    @OptionGroup var node: NodeOptions

    @Option(help: "The versiond to go on as, with its other programs beside it; by default the same path.")
    var binary: String?

    @Flag(help: "One JSON object, for machines.")
    var json = false

    func run() async throws {
        guard case .restarting(let number) = try node.ask(.restart(binary: binary.map(absolute))) else { return }
        let clock = ContinuousClock()
        let deadline = clock.now + Self.patience
        while clock.now < deadline {
            if case .status(let status) = try node.ask(.status), let restart = status.restart {
                if let failure = restart.failure {
                    complain("versiond was not restarted: \(failure)")
                    throw ExitCode(1)
                }
                if restart.number > number { return try show(restart) }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        complain("versiond did not go on within \(Self.patience)")
        throw ExitCode(1)
    }

    private func show(_ restart: RestartStatus) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(restart), as: UTF8.self))
        } else {
            let micros = restart.pauseMicroseconds
            print(
                "versiond \(restart.before) goes on as \(restart.after); the router stood still for "
                    + "\(micros / 1000).\(micros % 1000 / 100) ms")
        }
    }
}
