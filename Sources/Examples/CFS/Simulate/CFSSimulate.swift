import ArgumentParser

@main
struct CFSSimulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cfs-simulate", abstract: "Runs rings of thousands of nodes in one process, from a seed.",
        subcommands: [LookupsCommand.self, BlocksCommand.self, CodingCommand.self])
}
