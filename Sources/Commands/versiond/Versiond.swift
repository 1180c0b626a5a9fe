import ArgumentParser
import Dispatch
import Glibc
import Logging
import VersionKitNode

/// The node daemon.
@main
struct Versiond: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versiond",
        abstract: "Runs several versions of distributed applications side by side on this node, and upgrades them.",
        discussion: """
            Needs root, or to be root of a user and network namespace. Everything that it changes on the node is undone \
            when it ends: one nftables table and routing rule named versionkit, and the sysctls that it lists in its log.

            Example:
              versiond --config /etc/versionkit/versiond.json
            """)

    @Option(help: "The configuration file, JSON.", completion: .file(extensions: ["json"]))
    var config = "/etc/versionkit/versiond.json"

    @Option(help: "What is logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel = "info"

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("'\(logLevel)' is no log level") }
    }

    func run() async throws {
        // Peers and proxies may go away while they are written to: that is an error of the call, not of the process.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap { label in StreamLogHandler.standardError(label: label) }
        var logger = Logger(label: "versiond")
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        let node = try await Node(NodeConfiguration(contentsOf: config), logger: logger)
        let task = Task { try await node.run() }
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { task.cancel() }
            source.resume()
            return source
        }
        try await task.value
        for source in sources { source.cancel() }
    }
}
