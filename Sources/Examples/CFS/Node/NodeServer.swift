import CFSModel
import CFSRing
import CFSStore
public import NIOCore
import NIOPosix
import ONCRPC
public import ONCRPCSockets

/// A process of virtual nodes: one UDP socket for all of them, their blocks, the gateway for clients, and the control socket.
public final class NodeServer<Generation: RingGeneration>: Sendable {
    /// The UDP address, with the port that it got.
    public let address: SocketAddress
    /// Where the gateways are, in the configuration's order, with the ports that they got.
    public var gateways: [RPCAddress] { gatewayServers.map(\.address) }
    /// Where lsdctl finds it.
    public var control: RPCAddress? { controlServer?.address }
    /// The program of the gateway, for clients in the same process.
    public var keeper: any BlockKeeper { core }

    private let core: NodeCore<Generation>
    private let endpoint: RPCDatagramEndpoint
    private let gatewayServers: [RPCStreamServer]
    private let controlServer: RPCStreamServer?
    private let exits: AsyncStream<Void>

    private init(
        _ core: NodeCore<Generation>, _ sockets: Sockets, exits: AsyncStream<Void>
    ) {
        self.core = core
        self.exits = exits
        address = sockets.endpoint.address
        endpoint = sockets.endpoint
        gatewayServers = sockets.gateways
        controlServer = sockets.control
    }

    private struct Sockets {
        var endpoint: RPCDatagramEndpoint
        var gateways: [RPCStreamServer] = []
        var control: RPCStreamServer?

        func close() async {
            for gateway in gateways { await gateway.close() }
            await control?.close()
            await endpoint.close()
        }
    }

    /// Opens the store, binds all sockets, and begins or joins the ring. Nobody is answered before ``run()``.
    ///
    /// - Throws: ``NodeError``, `BlockDatabaseError`.
    public static func start(_ configuration: NodeConfiguration) async throws -> NodeServer {
        guard (1...CFSLimits.virtualNodes).contains(configuration.virtualNodes) else {
            throw NodeError.badVirtualNodes(configuration.virtualNodes)
        }
        let database = try BlockDatabase(
            directory: configuration.directory, nodes: configuration.virtualNodes, generation: Generation.number,
            bytesMax: configuration.storeBytes)
        // The nodes live where their socket is: a message needs no other thread.
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let core = NodeCore<Generation>(configuration, database: database, on: eventLoop)
        var exchange = RPCService(Generation.exchange.program)
        exchange.on(Generation.exchange) { question, _ throws(RPCRefusal) in
            try await core.answer(question, from: RPCDatagramEndpoint.caller)
        }
        var limits = RPCLimits()
        limits.servedCallsMax = NodeLimits.openAnswers
        let bootstrap = try configuration.bootstrap.map { try process($0.host, $0.port) }
        let udp: RPCDatagramEndpoint
        do {
            udp = try await RPCDatagramEndpoint.bind(
                host: configuration.boundHost ?? configuration.host, port: configuration.port, services: [exchange],
                limits: limits,
                group: eventLoop)
        } catch {
            throw NodeError.unbound("\(configuration.host):\(configuration.port)", why: "\(error)")
        }
        var sockets = Sockets(endpoint: udp)
        do {
            let place = try SocketAddress(ipAddress: configuration.host, port: udp.address.port ?? 0)
            let addresses = try addresses(of: place, count: configuration.virtualNodes)
            for gateway in configuration.gateways {
                // Whoever stands between may tell replies by their order; a migrator asks for lists, too.
                let services = [Generation.gateway(core), core.listingService()]
                sockets.gateways.append(try await bind(gateway, services, order: .calls, on: eventLoop))
            }
            let (exits, exit) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            if let control = configuration.control {
                sockets.control = try await bind(control, [core.controlService { exit.yield() }], on: eventLoop)
            }
            await core.begin(udp, at: addresses, through: bootstrap)
            return NodeServer(core, sockets, exits: exits)
        } catch {
            await sockets.close()
            throw error
        }
    }

    private static func bind(
        _ address: RPCAddress, _ services: [RPCService], order: RPCStreamServer.ReplyOrder = .completion,
        on eventLoop: any EventLoop
    ) async throws -> RPCStreamServer {
        do {
            return try await RPCStreamServer.bind(to: address, services: services, order: order, group: eventLoop)
        } catch {
            throw NodeError.unbound("\(address)", why: "\(error)")
        }
    }

    /// The first virtual node of a process, which others join through.
    private static func process(_ host: String, _ port: Int) throws -> ChordNode {
        guard let place = try? SocketAddress.makeAddressResolvingHost(host, port: port),
            let address = nodeAddress(place, 0)
        else { throw NodeError.unknownBootstrap(host) }
        return ChordNode(address)
    }

    private static func addresses(of place: SocketAddress, count: Int) throws -> [NodeAddress] {
        try (0..<count).map { index in
            guard let address = nodeAddress(place, UInt16(index)) else { throw NodeError.badAddress("\(place)") }
            return address
        }
    }

    private static func nodeAddress(_ place: SocketAddress, _ index: UInt16) -> NodeAddress? {
        guard case .v4 = place, let text = place.ipAddress, let port = place.port else { return nil }
        let parts = text.split(separator: ".").compactMap { UInt32($0) }
        guard parts.count == 4 else { return nil }
        return NodeAddress(
            ipv4: parts.reduce(0) { $0 << 8 | $1 }, port: UInt16(truncatingIfNeeded: port), virtualNode: index)
    }

    /// Returns when all virtual nodes know their place on the ring, or the process ends.
    public func untilJoined() async { await core.untilJoined() }

    /// Answers nodes and clients until the task is cancelled, or lsdctl says that it is to end. To be called once; afterwards
    /// all is closed, and what was acknowledged is on the disk.
    public func run() async {
        await withTaskGroup { tasks in
            tasks.addTask(executorPreference: self.core.tasks) { await self.endpoint.serve() }
            for gateway in gatewayServers {
                tasks.addTask(executorPreference: self.core.tasks) { await gateway.serve() }
            }
            if let controlServer { tasks.addTask { await controlServer.serve() } }
            tasks.addTask { for await _ in self.exits { return } }
            // The first one that ends ends the others: half a process is worse than none.
            await tasks.next()
            for gateway in gatewayServers { await gateway.close() }
            await core.end()
            await controlServer?.close()
            await endpoint.close()
            tasks.cancelAll()
        }
    }
}
