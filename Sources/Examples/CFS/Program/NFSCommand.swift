import ArgumentParser
import CFSClient
import CFSDisk
import CFSFiles
import CFSNFS
import Foundation
import ONCRPC
import ONCRPCSockets

/// Serves a file system by NFS.
struct NFSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nfs", abstract: "Serves a file system by NFS version 3 over TCP, to be read.",
        discussion: """
            Both programs, NFS and MOUNT, are at one port, and there is no portmapper: clients are told the port. What is \
            published anew shows within the time of --refresh. It runs until it is interrupted, and prints one line when \
            it can be used.

            EXAMPLES:
              cfs nfs NAME --listen 127.0.0.1:2049
              mount -t nfs -o vers=3,proto=tcp,port=2049,mountport=2049,mountproto=tcp,nolock,ro 127.0.0.1:/ /mnt
              nfs-ls "nfs://127.0.0.1/?version=3&nfsport=2049&mountport=2049"
            """,
        aliases: ["mountd"])

    @OptionGroup var files: FileSystemArguments
    @Option(help: ArgumentHelp("Where to listen; port 0: any that is free.", valueName: "host:port"))
    var listen = "127.0.0.1:0"
    @Option(help: "How often to look for a new publication.") var refresh = Span(seconds: 30, "30s")
    @Flag(help: "Print the line for machines.") var json = false

    func validate() throws {
        guard case .tcp? = RPCAddress(listen) else { throw ValidationError("not HOST:PORT: \(listen)") }
    }

    private struct Ready: Encodable {
        var name: String
        var version: UInt32
        var address: String
    }

    func run() async throws {
        guard let listen = RPCAddress(listen) else { throw ExitCode.validationFailure }
        let (id, seen) = (files.name.id, files.state.seen)
        try await files.gateway.withClient { client in
            let published = PublishedFiles(
                id, from: GatewayBlocks(client), seen: try seen.version(of: id), refresh: .seconds(refresh.seconds),
                allowsExpired: files.allowExpired, clock: Self.clock()
            ) { version in
                do { try seen.saw(version, of: id) } catch { Output.say("cfs: \(error)") }
            }
            // Or nobody would hear of a wrong name before somebody mounts it.
            let version = try await published.current().version
            let server = NFSServer(
                published, secret: try seen.secret(), mayPass: { ($0 as? GatewayError)?.mayPass == true },
                report: { Output.say("cfs: \($0)") })
            let sockets = try await RPCStreamServer.bind(to: listen, services: server.services)
            if json {
                try Output.json(Ready(name: "\(id)", version: version, address: "\(sockets.address)"))
            } else {
                Output.line("serving \(id) version \(version) by NFS at \(sockets.address)")
            }
            await sockets.serve()
        }
    }

    private static func clock() -> @Sendable () -> (day: UInt64, elapsed: Duration) {
        let began = ContinuousClock.now
        return { (UInt64(Output.now), ContinuousClock.now - began) }
    }
}
