import ArgumentParser
import CFSBlocks
import CFSDisk
import CFSFiles

/// Keys of publishers.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Makes keys of publishers, and says what they are called.",
        subcommands: [Make.self, Show.self])

    private struct Report: Encodable {
        var file: String
        var name: String
    }

    struct Make: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "make", abstract: "Makes a key, and prints the name of the file system that it publishes.",
            discussion: "EXAMPLE:\n  cfs key make publisher.key")

        @Argument(help: "The file to make.") var file: String
        @Flag(help: "Print the result for machines.") var json = false

        func run() throws {
            let name = "\(try KeyFile.make(at: file).verificationKey.blockName())"
            if json { try Output.json(Report(file: file, name: name)) } else { print(name) }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Prints the name of the file system that a key publishes.",
            discussion: "EXAMPLE:\n  cfs ls $(cfs key show publisher.key)")

        @Argument(help: "The file that has the key.") var file: String
        @Flag(help: "Print the result for machines.") var json = false

        func run() throws {
            let name = "\(try KeyFile.read(file).verificationKey.blockName())"
            if json { try Output.json(Report(file: file, name: name)) } else { print(name) }
        }
    }
}
