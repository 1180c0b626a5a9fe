import ArgumentParser
import CFSClient
import ONCRPC
import ONCRPCSockets

/// The papers' benchmark of blocks.
@main
struct DBM: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cfs-dbm",
        abstract: "Stores blocks behind a CFS gateway and fetches them, and says how fast.",
        discussion: """
            By default what the papers did: 1 MB in 512 blocks of 2 KB, one after the other, stored and then fetched. \
            The blocks follow from the seed, so that another run can fetch what one stored. Each block that is fetched is \
            compared with what was stored.

            EXAMPLES:
              cfs-dbm --gateway 10.99.1.2:10001
              cfs-dbm --gateway 10.99.1.2:10001 --form 2008 --concurrency 16 --json
              cfs-dbm store --blocks 4096 --size 8192 --seed 7
              cfs-dbm fetch --blocks 4096 --size 8192 --seed 7 --trace
              cfs-dbm gateway --listen 127.0.0.1:10001     # one in memory, to measure against

            The exit code is 0 if all went well, 65 if a block was wrong, 69 if one could not be stored or fetched.
            """,
        subcommands: [RunCommand.self, GatewayCommand.self], defaultSubcommand: RunCommand.self)
}

/// What a gateway speaks, as an argument.
enum Form: String, CaseIterable, ExpressibleByArgument {
    case of2004 = "2004"
    case of2008 = "2008"

    var value: GatewayForm { self == .of2004 ? .of2004 : .of2008 }
}

/// An address as an argument.
struct Address: ExpressibleByArgument, CustomStringConvertible {
    let value: RPCAddress

    init(_ value: RPCAddress) { self.value = value }

    init?(argument: String) {
        guard let value = RPCAddress(argument) else { return nil }
        self.value = value
    }

    var description: String { "\(value)" }
}
