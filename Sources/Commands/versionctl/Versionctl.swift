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
              versionctl release diff irislog-1 irislog-2
              versionctl release publish irislog-2
              versionctl channel withdraw channel.json 2 --reason "loses writes" --expires 30d
              versionctl status --watch
              versionctl top
              versionctl history irislog
              versionctl explain irislog
              versionctl explain flow irislog 2 10.99.1.2 7000
              versionctl rollback irislog
              versionctl retire irislog
              versionctl promote irislog 2
              versionctl withdraw irislog 2 --reason "slow queries"
              versionctl snapshot list
              versionctl restart
              versionctl ports
              versionctl exec irislog -- ls -l /var/lib
              versionctl forget-peer irislog 10.0.0.7
              versionctl new adapter memcached

            Exit codes: 0 done, 1 refused (the reason is printed), or something is wrong that was looked for, 64 wrong
            usage, 69 no versiond answers.
            """,
        version: VersionKitRelease.number,
        subcommands: [
            Status.self, History.self, Top.self, Explain.self, Doctor.self, Exec.self, Release.self, Trust.self,
            ChannelCommand.self, Rollback.self, Retire.self, Promote.self, Withdraw.self, Snapshot.self, Restart.self,
            ForgetPeer.self, FleetKeyCommand.self, Register.self, Renew.self, Unregister.self, Ports.self,
            New.self,
        ])
}

/// Prints an error where errors go.
func complain(_ message: String) {
    fputs("versionctl: \(message)\n", stderrHandle)
}

/// Standard error as a stream of its own: the C library's variable is not safe to share.
private nonisolated(unsafe) let stderrHandle = fdopen(dup(STDERR_FILENO), "w")
