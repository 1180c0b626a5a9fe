import ArgumentParser
import ExampleFleet
import IrisLogDemoModel
import IrisLogFleet

/// `irislog-demo rollback`.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract:
            "Takes two releases of IrisLog back, a bad one and a good one, while clients of both protocols use it.",
        discussion: """
            Release 2 is tried out on one node, turns out to be bad, and is withdrawn by the nodes themselves. Release 3 \
            is tried out, promoted and spreads, and version 1 retires; then the operator withdraws it, and all nodes go \
            back to version 1 with everything that was written meanwhile.

            Runs in scripts/sandbox. Ends with one line, and with exit code 0 only if all nodes are back on version 1, no \
            other node ever began with release 2, no request failed and every acknowledged update was read back. A \
            release 2 that crashes may fail requests of its own node's clients; they are counted.

            Examples:
              make demo-rollback
              make demo-rollback DEMO_ARGUMENTS='--bad crashing'
              scripts/sandbox .build/debug/irislog-demo rollback --json | tail -n 2 | head -n 1 | jq .steps
            """)

    @Option(help: "Hosts, shared out among three regions.")
    var nodes = 4

    @Option(help: "How release 2 is bad: sick (its health checks fail), crashing (its process ends).")
    var bad = BadRelease.sick

    @Flag(help: "Print the figures as JSON too, in the line before the last.")
    var json = false

    @OptionGroup var options: DemoOptions

    func validate() throws {
        guard (2...60).contains(nodes) else { throw ValidationError("--nodes is 2 to 60") }
    }

    func run() async throws {
        let fleet = Fleet(hosts: nodes)
        do {
            let report = try await RollbackDemo(
                place: DemoFleet(fleet, options), retirementPeriod: options.retirement, bad: bad
            ).run()
            if !report.isGood, options.verbose { DemoFleet.printLogs(of: fleet) }
            if json { say(try report.json()) }
            say(report.line)
            if !report.isGood { throw ExitCode(1) }
        } catch let error as FleetError {
            if options.verbose { DemoFleet.printLogs(of: fleet) }
            say("demo: \(error)")
            throw ExitCode(1)
        }
    }
}

extension BadRelease: ExpressibleByArgument {}
