import ArgumentParser
import Glibc
import VersionKitControl
import VersionKitIsolation
import VersionKitModel

struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command beside a version, in its environment: with its files, its network, and no privilege.",
        discussion: """
            On a terminal the command has one, too; otherwise its input and both its outputs are passed on. Who may use the \
            control socket may do this.

            Examples:
              versionctl exec irislog                          a shell beside the newest version
              versionctl exec irislog --version 1 -- ls -l /var/lib
              versionctl exec irislog -- tar c /var/lib > state.tar

            Exit codes: the command's, 128 plus a signal's number; 1 refused, 69 no versiond answers, 127 the command \
            could not be started, 255 the conversation ended before the command.
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The application.")
    var application: String

    @Option(help: "Its version; by default the newest that runs.")
    var version: UInt32?

    @Argument(parsing: .postTerminator, help: "The program and its arguments; by default a shell.")
    var command: [String] = []

    func run() async throws {
        let agent = try agent()
        let terminal = OperatorTerminal()
        let connection: ExecConnection?
        do throws(IsolationError) {
            connection = try await ExecConnection.open(
                agent, command.isEmpty ? ["/bin/sh"] : command, terminal: terminal?.size,
                terminalKind: getenv("TERM").map { String(cString: $0) } ?? "dumb")
        } catch {
            complain("\(error)")
            throw ExitCode(127)
        }
        guard let connection else {
            complain("the environment has ended")
            throw ExitCode(255)
        }
        let code = await ExecRelay(connection, terminal).run()
        guard let code else {
            complain("the conversation with the command has ended before the command did")
            throw ExitCode(255)
        }
        throw ExitCode(code)
    }

    /// Where the agent of the wanted version's environment listens.
    private func agent() throws -> AgentAddress {
        let id = try applicationID(application)
        guard case .status(let status) = try node.ask(.status) else { throw ExitCode(69) }
        let versions = status.applications.first { $0.application == id }?.versions ?? []
        let running = versions.filter { $0.agent != nil && (version == nil || $0.version == Version(version ?? 0)) }
        guard let agent = running.last?.agent else {
            complain("\(id)\(version.map { " \($0)" } ?? "") does not run on this node: see versionctl status")
            throw ExitCode(1)
        }
        return agent
    }
}
