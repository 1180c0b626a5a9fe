import ArgumentParser
import CFSClient
import CFSMemoryGateway
import Foundation
import ONCRPC
import ONCRPCSockets

/// A gateway to measure against.
struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Serves a gateway whose blocks are in memory: what remains is what client and protocol cost.",
        discussion: "It runs until it is interrupted, and prints its address when it can be used.")

    @Option(help: "Where to listen: HOST:PORT, port 0 for any that is free, or the path of a Unix socket.")
    var listen = Address(.tcp(host: "127.0.0.1", port: 0))
    @Option(help: "What it speaks: 2004 or 2008.") var form = Form.of2004
    @Option(help: "Milliseconds by which each answer is late.") var delay = 0
    @Option(help: "Bytes of blocks that it takes.") var bytes = 1 << 30

    func validate() throws {
        guard (0...60_000).contains(delay) else { throw ValidationError("the delay is 0 to 60000 ms") }
    }

    func run() async throws {
        let behaviour = delay == 0 ? MemoryGateway.Behaviour.right : .delayed(.milliseconds(delay))
        let gateway = MemoryGateway(form.value, bytesMax: bytes) { _ in behaviour }
        let server = try await RPCStreamServer.bind(to: listen.value, services: [gateway.service])
        print("gateway at \(server.address)")
        // Whoever started it waits for the line, perhaps by a pipe.
        fflush(nil)
        await server.serve()
    }
}
