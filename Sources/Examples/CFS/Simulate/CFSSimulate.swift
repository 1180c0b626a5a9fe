import ArgumentParser

@main
struct CFSSimulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cfs-simulate", abstract: "Runs rings of thousands of nodes in one process, from a seed.",
        subcommands: [
            LookupsCommand.self, BlocksCommand.self, HopsCommand.self, FailuresCommand.self, ChurnCommand.self,
            CodingCommand.self,
        ])
}
