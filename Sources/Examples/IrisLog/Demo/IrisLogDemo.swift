import ArgumentParser
import ExampleFleet
import IrisLogFleet
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// The whole of VersionKit at work: IrisLog is upgraded from version 1 to 2 on a fleet while clients use it.
@main
struct IrisLogDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "irislog-demo",
        abstract: "Upgrades IrisLog from version 1 to 2 on a fleet of hosts, while clients of both protocols use it.",
        discussion: """
            Runs in scripts/sandbox. Ends with one line, and with exit code 0 only if every node runs version 2 alone, no \
            request failed and every acknowledged update was read back.
            """)

    @Option(help: "Hosts in each of the three regions.")
    var hosts = 2

    @Option(help: "One-way delay between a region and the wide area, in milliseconds.")
    var delay = 2

    @Option(help: "Milliseconds without messages after which the old version retires.")
    var retirement = 1000

    @Option(help: "Seconds within which all nodes have to be upgraded.")
    var timeout = 180

    @Flag(help: "Print the log of each node's versiond if anything goes wrong.")
    var verbose = false

    func validate() throws {
        guard (1...20).contains(hosts) else { throw ValidationError("--hosts is 1 to 20") }
    }

    func run() async throws {
        let demo = Demo(
            fleet: Fleet(hostsPerRegion: hosts), delay: .milliseconds(delay), retirementPeriod: retirement,
            timeout: .seconds(timeout))
        do {
            let outcome = try await demo.run()
            say(outcome.line)
            if !outcome.isGood { throw ExitCode(1) }
        } catch let error as FleetError {
            say("demo: \(error)")
            if verbose { demo.printLogs() }
            throw ExitCode(1)
        }
    }
}

/// What the demonstration found.
struct Outcome {
    var upgraded: Int
    var nodes: Int
    var duration: Duration
    var load: LoadNumbers
    var sawEverything: Bool

    var isGood: Bool { upgraded == nodes && load.failed == 0 && load.lost == 0 && load.updates > 0 && sawEverything }

    var line: String {
        "demo: \(upgraded)/\(nodes) nodes on version 2 in \(duration.inSeconds.tenths) s; \(load.requests) requests, "
            + "\(load.failed) failed; \(load.updates) updates, \(load.lost) lost"
    }
}
