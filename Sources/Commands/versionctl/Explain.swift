import ArgumentParser
import VersionKitControl
import VersionKitModel

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Why a version is where it is, and why the router does what it does.",
        subcommands: [ExplainUpgrade.self, ExplainFlow.self], defaultSubcommand: ExplainUpgrade.self)
}

struct ExplainUpgrade: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Why each version is in its stage, what failed, and what happens next.",
        discussion: """
            Examples:
              versionctl explain
              versionctl explain irislog
              versionctl explain --node http://10.0.0.2:7080 --token-file token --json

            Exit codes: 0 nothing failed, 1 something did, or it was refused, 64 wrong usage, 69 no versiond answers.
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "Only this application.", transform: applicationID)
    var application: ApplicationID?

    @Flag(help: "JSON, for machines.")
    var json = false

    func run() async throws {
        guard case .status(let status) = try node.ask(.status) else { return }
        if let application, !status.applications.contains(where: { $0.application == application }) {
            complain("\(application) is not managed on \(status.node)")
            throw ExitCode(1)
        }
        let explanations = UpgradeExplanation.all(of: status, application: application)
        if json { try printValue(explanations) } else { for one in explanations { print(one.text) } }
        if explanations.contains(where: { $0.failed != nil }) { throw ExitCode(1) }
    }
}

struct ExplainFlow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flow",
        abstract: "Which path a version's bytes to a peer take, and why.",
        discussion: """
            Examples:
              versionctl explain flow irislog 2 10.99.1.2 7000
              versionctl explain flow cfs 1 10.99.1.3 7100/udp
              versionctl explain flow cfs 1 2001:db8::3 7100/udp
              versionctl explain flow irislog 2 10.99.1.2 7000 --json
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application.")
    var application: String

    @Argument(help: "Its version on this node.")
    var version: UInt32

    @Argument(help: "The peer's address, of IPv4 or IPv6.", transform: ipAddress)
    var peer: IPAddress

    @Argument(help: "The port there: 7000 for TCP, 7000/udp for UDP.")
    var port: String

    @Flag(help: "One JSON object, for machines.")
    var json = false

    func run() async throws {
        guard let version = Version(version) else { throw ValidationError("versions begin with 1") }
        guard let port = TransportPort(port) else { throw ValidationError("'\(port)' is not a port") }
        let query = FlowQuery(application: try applicationID(application), version: version, peer: peer, port: port)
        guard case .flow(let flow) = try node.ask(.explain(query)) else { return }
        if json { try printValue(flow) } else { print(flow.explanation) }
    }
}
