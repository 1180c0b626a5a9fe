import ArgumentParser
public import CFSNode
import Foundation
import NIOCore

/// The program that is a process of nodes: `cfs-lsd` and `cfs-lsd2`.
public enum LSDProgram {
    /// Does what the command line says, with nodes of a generation, and ends the program if it cannot.
    public static func main<Generation: RingGeneration>(_ generation: Generation.Type) async {
        do {
            await LSD<Generation>.main(try OptionFile.expand(CommandLine.arguments.dropFirst()))
        } catch {
            LSD<Generation>.exit(withError: ValidationError("the options cannot be read: \(error)"))
        }
    }
}

/// A process of nodes of a generation.
struct LSD<Generation: RingGeneration>: AsyncParsableCommand {
    private static var name: String { Generation.number == 1 ? "cfs-lsd" : "cfs-lsd\(Generation.number)" }

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: name,
            abstract: "Keeps blocks on a ring with others (CFS, generation \(Generation.number)).",
            discussion: """
                Other nodes reach it by UDP at the address and port, from which the ids of its virtual nodes follow. Clients store and
                fetch blocks by the gateway, on a Unix socket and on TCP; cfs-lsdctl looks into it by the control socket.

                A ring is of one generation, cfs-lsd or cfs-lsd2, and so is a directory: they do not understand each other.

                When it is ready it prints one line, `\(name) ready`, with all addresses. SIGTERM ends it; SIGKILL may, too: what was
                acknowledged is on the disk.

                Begin a ring, and join it:
                  \(name) -l 10.0.0.1 -p 4000 -d /var/lib/cfs
                  \(name) -l 10.0.0.2 -p 4000 -d /var/lib/cfs -j 10.0.0.1:4000

                Eight virtual nodes on one machine, a gateway on a Unix socket only:
                  \(name) -p 4000 -d ring -v 8 -S gateway.sock --no-gateway-port

                -O FILE (--options FILE) stands for the words in a file; lines that begin with # are comments.

                Exit codes: 0 ended by a signal or by cfs-lsdctl, 64 wrong usage, 69 it cannot start.
                """)
    }

    @OptionGroup var options: LSDOptions

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        // Before anything can be waited for: a signal during the start also ends the program cleanly.
        let terminations = Terminations.stream()
        let server: NodeServer<Generation>
        do {
            server = try await NodeServer<Generation>.start(try options.configuration(Generation.self))
        } catch let error as ValidationError {
            throw error
        } catch {
            FileHandle.standardError.write(Data("\(Self.name): \(error)\n".utf8))
            throw ExitCode(EX_UNAVAILABLE)
        }
        await withTaskGroup { tasks in
            tasks.addTask { await server.run() }
            tasks.addTask { for await _ in terminations { return } }
            print("\(Self.name) ready \(server.endpoints)")
            fflush(nil)
            await tasks.next()
            tasks.cancelAll()
        }
    }
}

extension NodeServer {
    /// One `name=address` for each socket.
    fileprivate var endpoints: String {
        let node = "nodes=\(address.ipAddress ?? ""):\(address.port ?? 0)"
        return ([node] + gateways.map { "gateway=\($0)" } + (control.map { ["control=\($0)"] } ?? []))
            .joined(separator: " ")
    }
}
