import ArgumentParser
import Dispatch
import Glibc
import Logging
import VersionKitControl
import VersionKitNode
import VersionKitProcesses

/// The node daemon.
@main
struct Versiond: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versiond",
        abstract: "Runs several versions of distributed applications side by side on this node, and upgrades them.",
        discussion: """
            Needs root, or to be root of a user and network namespace. Everything that it changes on the node is undone \
            when it ends: one nftables table and routing rule named versionkit, and the sysctls that it lists in its log.

            SIGHUP has it executed anew, with all that it runs, as `versionctl restart` does.

            Example:
              versiond --config /etc/versionkit/versiond.json
            """, version: VersionKitRelease.number)

    @Option(help: "The configuration file, JSON.", completion: .file(extensions: ["json"]))
    var config = "/etc/versionkit/versiond.json"

    @Option(help: "What is logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel = "info"

    @Flag(help: "Only undo what a versiond that was killed left in the kernel: rules, routes, sysctls. None may run.")
    var cleanUp = false

    @Option(help: .hidden)
    var resume: Int32?

    @Flag(help: "Only read the configuration, and print the formats of state that this versiond can go on from.")
    var handoverFormat = false

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("'\(logLevel)' is no log level") }
    }

    func run() async throws {
        if handoverFormat {
            _ = try NodeConfiguration(contentsOf: config)
            for format in NodeHandover.formats { print(format) }
            return
        }
        // Peers and proxies may go away while they are written to: that is an error of the call, not of the process.
        signal(SIGPIPE, SIG_IGN)
        let configuration = try NodeConfiguration(contentsOf: config)
        LoggingSystem.bootstrap { label -> any LogHandler in
            guard configuration.logFormat == .json else { return StreamLogHandler.standardError(label: label) }
            return JSONLog(label: label)
        }
        if cleanUp { return try await Node.cleanUp(configuration) }
        var logger = Logger(label: "versiond")
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        var inheritance: NodeHandover?
        var failure: String?
        do {
            inheritance = try resume.map(NodeHandover.take)
        } catch {
            failure = "\(error)"
            logger.critical("\(error)")
        }
        // Ignored below, and then gone.
        let isToldToEnd = Succession.isWaiting([SIGTERM, SIGINT])
        let node = try await Node(
            configuration, resuming: inheritance, failure: failure, logger: logger)
        let task = Task { try await node.run() }
        if isToldToEnd { task.cancel() }
        let sources = [SIGTERM, SIGINT, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                if number == SIGHUP { Task { await node.restart() } } else { task.cancel() }
            }
            source.resume()
            return source
        }
        try await task.value
        for source in sources { source.cancel() }
    }
}
