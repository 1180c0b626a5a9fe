import ArgumentParser
import CFSFleet
import ExampleFleet
import VersionKitTestbed

/// The papers' first application, upgraded to a generation whose nodes cannot talk to the old ones.
@main
struct CFSDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cfs-demo",
        abstract: "Upgrades a ring of CFS from 2004 to 2008 while clients of both read and write.",
        discussion: """
            Runs in scripts/sandbox. A tree of files is published and read again and again, blocks are stored, and another tree
            is published anew all the time, while generation 2 spreads from one host. Ends with one line, and with exit code 0
            only if generation 2 serves alone everywhere, no request failed, everything that was acknowledged was read back,
            and every file of the tree has its SHA-256 through the new ring.

            EXAMPLES:
              make demo-cfs
              make demo-cfs DEMO_ARGUMENTS='--hosts 8 --files 100 --megabytes 5'
            """)

    @Option(help: "Hosts, 7 to 200: a block has 14 fragments, of which 7 must find a node.")
    var hosts = 16

    @Option(help: "Files of the tree at least.")
    var files = 1000

    @Option(help: "Megabytes of the tree at least.")
    var megabytes = 50

    @Option(help: "Milliseconds without need of the old generation after which it retires.")
    var retirement = 5000

    @Option(help: "Seconds within which the upgrade has to be done.")
    var timeout = 1200

    @Flag(help: "Print the logs of versiond if anything goes wrong.")
    var verbose = false

    func validate() throws {
        guard (7...200).contains(hosts) else { throw ValidationError("--hosts is 7 to 200") }
        guard files > 0, megabytes > 0 else { throw ValidationError("--files and --megabytes are more than 0") }
    }

    func run() async throws {
        let demo = try Demo(self)
        do {
            let outcome = try await demo.run()
            say(outcome.line)
            if !outcome.isGood {
                if verbose { demo.printLogs() }
                throw ExitCode(1)
            }
        } catch let error as FleetError {
            if verbose { demo.printLogs() }
            say("demo: \(error)")
            throw ExitCode(1)
        }
    }
}
