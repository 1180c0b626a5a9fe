import ArgumentParser
import ExampleFleet
import IrisLogFleet

/// `irislog-demo upgrade`, which is also what `irislog-demo` alone does.
struct UpgradeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Upgrades IrisLog from version 1 to 2 on a fleet of hosts, while clients of both protocols use it.",
        discussion: """
            Runs in scripts/sandbox. Ends with one line, and with exit code 0 only if on every node version 1 \
            retired and version 2 runs alone, no request failed, clients did update, every acknowledged update was read \
            back, and all clients saw all nodes in one answer.
            """)

    @Option(help: "Hosts in each of the three regions.")
    var hosts = 2

    @OptionGroup var options: DemoOptions

    func validate() throws {
        guard (1...20).contains(hosts) else { throw ValidationError("--hosts is 1 to 20") }
    }

    func run() async throws {
        let fleet = Fleet(hostsPerRegion: hosts)
        do {
            let outcome = try await UpgradeDemo(
                place: DemoFleet(fleet, options), retirementPeriod: options.retirement
            ).run()
            say(outcome.line)
            if !outcome.isGood { throw ExitCode(1) }
        } catch let error as FleetError {
            say("demo: \(error)")
            if options.verbose { DemoFleet.printLogs(of: fleet) }
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
