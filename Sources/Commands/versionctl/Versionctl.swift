import ArgumentParser
import Glibc
import VersionKitControl

/// The command line of operators, and of environments at their boot.
@main
struct Versionctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versionctl",
        abstract: "Upgrades a distributed application while it runs.",
        discussion: """
            Examples:
              versionctl release keys --output publisher.key
              versionctl release make release.json --key publisher.key --output irislog-2
              versionctl release publish irislog-2
              versionctl status --watch
              versionctl rollback irislog
              versionctl new adapter memcached

            Exit codes: 0 done, 1 refused (the reason is printed), 64 wrong usage, 69 no versiond answers.
            """,
        subcommands: [Status.self, Release.self, Rollback.self, Register.self, New.self])
}

/// Where a node's versiond listens.
struct NodeOptions: ParsableArguments {
    static let socketDefault = "/run/versionkit/control.sock"

    @Option(name: .customLong("socket"), help: "The control socket of the node's versiond.", completion: .file())
    var path = NodeOptions.socketDefault

    /// Asks the node; a refusal is printed and ends the command with 1.
    func ask(_ request: ControlRequest) throws -> ControlResponse {
        let response: ControlResponse
        do {
            response = try ControlClient(path: path).ask(request)
        } catch let error as ControlError {
            complain("\(error)")
            throw ExitCode(69)
        }
        if case .refused(let reason) = response {
            complain(reason)
            throw ExitCode(1)
        }
        return response
    }

    /// Asks the node for something to be done, and prints what it says.
    func command(_ request: ControlRequest) throws {
        if case .done(let text) = try ask(request) { print(text) }
    }
}

/// Prints an error where errors go.
func complain(_ message: String) {
    fputs("versionctl: \(message)\n", stderrHandle)
}

/// Standard error as a stream of its own: the C library's variable is not safe to share.
private nonisolated(unsafe) let stderrHandle = fdopen(dup(STDERR_FILENO), "w")

struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take an application's newest version away on this node, as long as the older one runs.")

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application, such as irislog.")
    var application: String

    func run() async throws {
        try node.command(.rollback(application: try applicationID(application)))
    }
}

struct Register: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "From inside an environment: these TCP ports are the application's own protocol between its nodes.",
        discussion: "Run by the environment's boot, before the application starts. Other ports are left alone.")

    /// Where the node listens for its environments, seen from inside.
    @Option(name: .customLong("socket"), help: "The registrar's socket.")
    var path = "/run/versionkit/registrar.sock"

    @Argument(help: "Port numbers.")
    var ports: [UInt16]

    func run() async throws {
        let node = try NodeOptions.parse(["--socket", path])
        try node.command(.register(ports: ports))
    }
}
