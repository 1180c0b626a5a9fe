import ArgumentParser
import Glibc

/// The program for people: file systems of signed blocks behind a gateway.
@main
struct CFS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cfs",
        abstract: "Publishes, reads and verifies file systems of signed blocks behind a CFS gateway.",
        discussion: """
            A file system is named by 40 hexadecimal digits, the hash of its publisher's key. Whatever is read is verified from \
            the signed root on, whoever gave it; older versions than one seen before are refused, and so is what its publisher \
            does not vouch for any more.

            EXAMPLES:
              cfs key make publisher.key
              cfs publish --key publisher.key --gateway 10.99.1.2:10001 --valid-for 30d ./tree
              export CFS_GATEWAY=10.99.1.2:10001 CFS_FORM=2008
              cfs ls NAME /docs
              cfs cat NAME /docs/README.md
              cfs get NAME /docs ./docs
              cfs verify NAME --json
              cfs snapshots NAME
              cfs ls NAME /.snapshots/2026-11-22T19:00:00Z
              cfs nfs NAME --listen 127.0.0.1:2049

            EXIT CODES:
              0   done
              64  the arguments are wrong
              65  what came is not what was signed, is too old, or cannot be published
              66  there is no such file
              69  the gateway cannot be reached, or fails, or has not all blocks
              74  the disk
            """,
        subcommands: [
            KeyCommand.self, PublishCommand.self, ListCommand.self, CatCommand.self, GetCommand.self,
            VerifyCommand.self,
            StatCommand.self, SnapshotsCommand.self, NFSCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            guard let failure = Failure(error) else { exit(withError: error) }
            Output.say("cfs: \(failure.sentence)")
            Glibc.exit(failure.code)
        }
    }
}
