import ArgumentParser

/// The whole of VersionKit at work on IrisLog: an upgrade, or releases that are taken back.
@main
struct IrisLogDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "irislog-demo",
        abstract: "Upgrades IrisLog on a fleet of hosts, or takes releases of it back, while clients use it.",
        subcommands: [UpgradeCommand.self, RollbackCommand.self], defaultSubcommand: UpgradeCommand.self)
}

/// What both demonstrations can be told.
struct DemoOptions: ParsableArguments {
    @Option(help: "One-way delay between a region and the wide area, in milliseconds.")
    var delay = 2

    @Option(help: "Milliseconds without messages after which the old version retires.")
    var retirement = 1000

    @Option(help: "Seconds within which all nodes have to be done with each step.")
    var timeout = 180

    @Flag(help: "Print the logs of each node's versiond and clients if anything goes wrong.")
    var verbose = false
}
