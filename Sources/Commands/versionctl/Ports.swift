import ArgumentParser
import FoundationEssentials
import Glibc
import VersionKitControl
import VersionKitModel

/// Where a node listens for the versions in its environments, seen from inside.
struct RegistrarOptions: ParsableArguments {
    static let socketDefault = "/run/versionkit/registrar.sock"

    @Option(name: .customLong("socket"), help: "The registrar's socket.", completion: .file())
    var path = RegistrarOptions.socketDefault

    /// Asks the registrar for something to be done, and prints what it says.
    func command(_ request: ControlRequest) throws {
        try NodeOptions.parse(["--socket", path]).command(request)
    }
}

/// The ports of a command, at least one.
struct PortArguments: ParsableArguments {
    @Argument(
        help: "Ports: 7000 for TCP, 7000/udp for UDP.",
        transform: { text in
            guard let port = TransportPort(text) else { throw ValidationError("'\(text)' is not a port") }
            return port
        })
    var ports: [TransportPort]
}

private func protocolName(_ text: String) throws -> ProtocolName {
    guard let name = ProtocolName(rawValue: text) else {
        throw ValidationError("'\(text)' is no protocol's name: a-z, 0-9 and -, beginning with a letter")
    }
    return name
}

struct Register: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "From inside an environment: these ports are the application's own protocol between its nodes.",
        discussion: """
            The environment's boot does it for all peer ports of the release, before the application starts, so most \
            applications need not. What a version registers again is replaced. Other ports are left alone.

            Examples:
              versionctl register 7000
              versionctl register --protocol gossip 7001/udp
              versionctl register --protocol gossip --lease 60 7001/udp 7002

            Exit codes: 0 done, 1 refused (the reason is printed), 64 wrong usage, 69 no versiond answers.
            """)

    @OptionGroup var registrar: RegistrarOptions

    @Option(
        name: .customLong("protocol"), help: "The application's name for what it speaks there.", transform: protocolName
    )
    var name: ProtocolName?

    @Option(help: "For so many seconds, unless renewed; otherwise until the environment ends.")
    var lease: UInt32?

    @OptionGroup var list: PortArguments

    func run() async throws {
        try registrar.command(.register(ports: list.ports, name: name, leaseSeconds: lease))
    }
}

struct Renew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "From inside an environment: the leases of these ports begin anew.",
        discussion: """
            Renew when half of a lease is over. One that ended is refused here: register the port again.

            Example:
              versionctl renew --lease 60 7001/udp 7002
            """)

    @OptionGroup var registrar: RegistrarOptions

    @Option(help: "For so many seconds.")
    var lease: UInt32

    @OptionGroup var list: PortArguments

    func run() async throws { try registrar.command(.renew(ports: list.ports, leaseSeconds: lease)) }
}

struct Unregister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "From inside an environment: this version does not use these ports any more.",
        discussion: """
            A port stays the application's as long as another version of it has it registered.

            Example:
              versionctl unregister 7002
            """)

    @OptionGroup var registrar: RegistrarOptions
    @OptionGroup var list: PortArguments

    func run() async throws { try registrar.command(.unregister(ports: list.ports)) }
}

struct Ports: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The registered ports: of all applications, or those that fit.",
        discussion: """
            Works inside an environment and on the node.

            Examples:
              versionctl ports
              versionctl ports irislog --protocol gossip --transport udp
              versionctl ports --json | jq '.[].port'

            Exit codes: 0 done, 1 nothing fits what was asked for, 64 wrong usage, 69 no versiond answers.
            """)

    @Option(
        name: .customLong("socket"), help: "The socket to ask; by default the registrar's, or the node's outside.",
        completion: .file())
    var path: String?

    @Argument(help: "Only those of this application.", transform: applicationID)
    var application: ApplicationID?

    @Option(name: .customLong("protocol"), help: "Only those registered with this name.", transform: protocolName)
    var name: ProtocolName?

    @Option(
        help: "Only tcp or udp.",
        transform: { text in
            guard let transport = TransportProtocol.allCases.first(where: { $0.description == text }) else {
                throw ValidationError("'\(text)' is neither tcp nor udp")
            }
            return transport
        })
    var transport: TransportProtocol?

    @Flag(help: "One JSON array, for machines.")
    var json = false

    func run() async throws {
        let isInside = access(RegistrarOptions.socketDefault, F_OK) == 0
        let socket = path ?? (isInside ? RegistrarOptions.socketDefault : NodeOptions.socketDefault)
        let node = try NodeOptions.parse(["--socket", socket])
        guard
            case .ports(let ports) = try node.ask(.ports(application: application, name: name, transport: transport))
        else { return }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(ports), as: UTF8.self))
        } else if !ports.isEmpty {
            print(PortTable.text(of: ports, at: Int64(time(nil)) * 1000))
        }
        let isQuestion = application != nil || name != nil || transport != nil
        if ports.isEmpty, isQuestion {
            complain("no registered port fits")
            throw ExitCode(1)
        }
    }
}
