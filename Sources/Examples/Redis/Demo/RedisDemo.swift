import ArgumentParser
import ExampleFleet

/// VersionKit on an application that was not made for it: a Redis server is replaced by another one under load.
@main
struct RedisDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redis-demo",
        abstract: "Upgrades a live Redis from version 1 to 2 while clients use it, and kills its servers meanwhile.",
        discussion: """
            Runs in scripts/sandbox. Ends with one line, and with exit code 0 only if version 2 serves alone, no request \
            failed and every acknowledged write was read back.
            """)

    @Option(help: "Keys that are there before the upgrade.")
    var keys = 1_000_000

    @Option(help: "Milliseconds without need of the old version after which it retires.")
    var retirement = 5000

    @Option(help: "Seconds within which the upgrade has to be done.")
    var timeout = 600

    @Flag(help: "Kill and pause no server: for finding out what a fault has to do with it.")
    var withoutFaults = false

    @Flag(help: "Print the figures as JSON too, in the line before the last.")
    var json = false

    @Flag(help: "Print the logs of versiond and the proxy if anything goes wrong.")
    var verbose = false

    func validate() throws {
        guard keys >= 0 else { throw ValidationError("--keys is 0 or more") }
    }

    func run() async throws {
        let demo = Demo(keys: keys, retirementPeriod: retirement, timeout: .seconds(timeout), hasFaults: !withoutFaults)
        do {
            let outcome = try await demo.run()
            if !outcome.isGood, verbose { demo.printLogs() }
            if json { say(outcome.json) }
            say(outcome.line)
            if !outcome.isGood { throw ExitCode(1) }
        } catch let error as FleetError {
            if verbose { demo.printLogs() }
            say("demo: \(error)")
            throw ExitCode(1)
        }
    }
}
