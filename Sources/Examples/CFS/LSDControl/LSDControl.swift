import ArgumentParser
import CFSModel
import CFSProtocol1
import Foundation
import ONCRPC
import ONCRPCSockets

/// Looks into a process of nodes, and steers it.
@main
struct LSDControl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cfs-lsdctl",
        abstract: "Looks into a cfs-lsd or cfs-lsd2, and steers it.",
        discussion: """
            It asks by the control socket of a process of nodes on the same host (-C there, too). Virtual nodes have numbers from 0.

            Who is on the ring, what is kept, what was said and dropped:
              cfs-lsdctl successors -C control.sock
              cfs-lsdctl store --json -C control.sock
              cfs-lsdctl stats -C control.sock

            Leave ring and blocks alone for a while:
              cfs-lsdctl stabilize off -C control.sock
              cfs-lsdctl replicate off -C control.sock

            Exit codes: 0 done, 64 wrong usage, 69 nobody answers, or not as it should.
            """,
        subcommands: [
            Identities.self, LocationTable.self, Successors.self, Store.self, Blocks.self, Statistics.self,
            Stabilize.self, Replicate.self, Exit.self,
        ])
}

/// What all subcommands have.
struct ControlOptions: ParsableArguments {
    @Option(name: [.customShort("C"), .long], help: "The control socket.")
    var control = "/tmp/lsdctl-sock"

    @Flag(help: "Print JSON.")
    var json = false

    /// Asks, and ends the program if there is no answer.
    func ask<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments
    ) async throws -> Results {
        do {
            let client = try await RPCStreamClient.connect(to: .unix(path: control))
            do {
                let results = try await client.call(procedure, arguments)
                await client.close()
                return results
            } catch {
                await client.close()
                throw error
            }
        } catch {
            FileHandle.standardError.write(Data("cfs-lsdctl: \(control): \(error)\n".utf8))
            throw ExitCode(EX_UNAVAILABLE)
        }
    }

    /// Prints JSON, or lines.
    func show(_ value: some Encodable, _ lines: () -> [String]) throws {
        guard json else { return lines().forEach { print($0) } }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

/// A switch on the command line.
enum Switch: String, ExpressibleByArgument, CaseIterable {
    case on, off
}
