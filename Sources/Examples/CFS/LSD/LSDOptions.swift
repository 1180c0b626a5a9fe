import ArgumentParser
import CFSNode
import CFSStore
import ONCRPCSockets

/// What the command line says, with the letters of the historic `lsd`.
struct LSDOptions: ParsableArguments {
    @Option(
        name: [.short, .long], help: "A process of the ring to join, HOST:PORT; without, or its own: begin a ring.")
    var join: String?

    @Option(name: [.short, .long], help: "The UDP port for other nodes; 0: any, and other ids each time.")
    var port: UInt16

    @Option(
        name: [.customShort("l"), .long],
        help: "The IPv4 address at which others reach it, and to which it binds unless --bind says another one.")
    var address = "127.0.0.1"

    @Option(name: .long, help: "The address to which it binds, if somebody translates: 0.0.0.0 is any.")
    var bind: String?

    @Option(name: [.short, .long], help: "How many virtual nodes there are, 1 to 1024.")
    var virtualNodes = 1

    @Option(name: [.short, .long], help: "The directory with its blocks; made if there is none. One process has it.")
    var directory: String

    @Option(name: [.customShort("S"), .long], help: "The Unix socket of the gateway.")
    var socket: String?

    @Option(name: .long, help: "The TCP port of the gateway; 0: any. (default: one above the UDP port)")
    var gatewayPort: UInt16?

    @Flag(name: .long, help: "No gateway on TCP.")
    var noGatewayPort = false

    @Option(name: [.customShort("C"), .long], help: "The Unix socket for cfs-lsdctl.")
    var control: String?

    @Option(name: .long, help: "Bytes of blocks kept at most.")
    var storeBytes = StoreLimits.bytes

    @Option(
        name: .long,
        help:
            "How many times as often as in 2004 it looks after ring and blocks, 1 to 100: for few nodes close together."
    )
    var pace = 1

    func validate() throws {
        guard (1...100).contains(pace) else { throw ValidationError("the pace is 1 to 100, not \(pace)") }
        guard storeBytes > 0 else { throw ValidationError("a store needs room for a byte at least") }
        guard !noGatewayPort || gatewayPort == nil else {
            throw ValidationError("--gateway-port and --no-gateway-port exclude each other")
        }
        guard noGatewayPort || gatewayPort != nil || port < UInt16.max else {
            throw ValidationError("there is no port above \(port) for the gateway; say --gateway-port")
        }
        if let join { _ = try Self.place(join) }
    }

    /// All of it.
    ///
    /// - Throws: `ValidationError`
    func configuration(_ generation: any RingGeneration.Type) throws -> NodeConfiguration {
        var configuration = NodeConfiguration(generation, host: address, port: Int(port), directory: directory)
        configuration.boundHost = bind
        configuration.virtualNodes = virtualNodes
        configuration.bootstrap = try join.map(Self.place)
        configuration.storeBytes = storeBytes
        configuration.quicken(by: pace)
        if let socket { configuration.gateways.append(.unix(path: socket)) }
        if !noGatewayPort {
            let next = port == 0 ? 0 : Int(port) + 1
            configuration.gateways.append(.tcp(host: bind ?? address, port: gatewayPort.map { Int($0) } ?? next))
        }
        configuration.control = control.map { .unix(path: $0) }
        return configuration
    }

    private static func place(_ text: String) throws -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { throw ValidationError("\(text) is not HOST:PORT") }
        return (String(text[..<colon]), Int(port))
    }
}
