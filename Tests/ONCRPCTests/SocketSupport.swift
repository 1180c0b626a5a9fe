import Glibc
import NIOCore
import NIOPosix
import ONCRPC
import ONCRPCSockets

/// A folder that is gone after the test, with the name of a socket in it.
final class TemporarySocket: Sendable {
    let path: String
    private let folder: String

    init() throws {
        var template = Array("/tmp/oncrpc-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw IOError(errnoCode: errno, reason: "mkdtemp") }
        folder = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        path = folder + "/socket"
    }

    deinit {
        unlink(path)
        rmdir(folder)
    }

    var isThere: Bool { access(path, F_OK) == 0 }
}

/// A server with streams while the body runs.
func withServer(
    _ address: RPCAddress = .tcp(host: "127.0.0.1", port: 0), services: [RPCService], limits: RPCLimits = .standard,
    order: RPCStreamServer.ReplyOrder = .completion, _ body: (RPCStreamServer) async throws -> Void
) async throws {
    let server = try await RPCStreamServer.bind(to: address, services: services, limits: limits, order: order)
    try await withThrowingDiscardingTaskGroup { group in
        group.addTask { await server.serve() }
        do { try await body(server) } catch {
            await server.close()
            throw error
        }
        await server.close()
    }
}

/// A UDP socket that serves while the body runs.
func withEndpoint(
    services: [RPCService] = [], limits: RPCLimits = .standard, _ body: (RPCDatagramEndpoint) async throws -> Void
) async throws {
    let endpoint = try await RPCDatagramEndpoint.bind(host: "127.0.0.1", port: 0, services: services, limits: limits)
    try await withThrowingDiscardingTaskGroup { group in
        group.addTask { await endpoint.serve() }
        do { try await body(endpoint) } catch {
            await endpoint.close()
            throw error
        }
        await endpoint.close()
    }
}

/// Bytes over a connection, as they are.
final class RawConnection: Sendable {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    init(to address: RPCAddress) async throws {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
        let initialize: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> = {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
        channel =
            switch address {
            case .tcp(let host, let port):
                try await bootstrap.connect(host: host, port: port, channelInitializer: initialize)
            case .unix(let path):
                try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: initialize)
            }
    }

    /// Sends pieces one after the other, says that nothing more comes if asked to, and returns all that comes until the
    /// server closes, or until `count` bytes came.
    func exchange(_ pieces: [ByteBuffer], finish: Bool = true, count: Int = .max) async throws -> ByteBuffer {
        try await channel.executeThenClose { inbound, outbound in
            // Whoever closes on bad bytes does so while they are still coming.
            for piece in pieces where (try? await outbound.write(piece)) == nil { break }
            if finish { outbound.finish() }
            var received = ByteBuffer()
            do {
                for try await bytes in inbound {
                    received.writeImmutableBuffer(bytes)
                    if received.readableBytes >= count { break }
                }
            } catch is IOError {
                // Closed with bytes that were not read: a reset.
            }
            return received
        }
    }
}

/// Stands still until it is opened.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var arrivals: [CheckedContinuation<Void, Never>] = []
    private var arrived = 0

    func pass() async {
        arrived += 1
        for arrival in arrivals { arrival.resume() }
        arrivals = []
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for one in waiting { one.resume() }
        waiting = []
    }

    /// Waits until so many have come to the gate.
    func arrivals(_ count: Int) async {
        while arrived < count { await withCheckedContinuation { arrivals.append($0) } }
    }
}

/// A program whose calls wait at a gate.
enum Waiting {
    static let program = RPCProgram(0x2000_0002, version: 1, name: "waiting")
    static let wait = RPCProcedure<UInt32, UInt32>(program, 1, "WAIT")

    static func service(_ gate: Gate) -> RPCService {
        var service = RPCService(program)
        service.on(wait) { number, _ in
            await gate.pass()
            return number
        }
        return service
    }
}

/// A server that says the same to everybody.
struct BadServer {
    let address: RPCAddress
    private let channel: any Channel

    static func bind(_ bytes: ByteBuffer) async throws -> BadServer {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture { try child.pipeline.syncOperations.addHandler(Speaker(bytes)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return BadServer(address: .tcp(host: "127.0.0.1", port: channel.localAddress?.port ?? 0), channel: channel)
    }

    func close() async { try? await channel.close() }

    private final class Speaker: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let bytes: ByteBuffer

        init(_ bytes: ByteBuffer) { self.bytes = bytes }

        /// Answers the first bytes, when the call waits.
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        }
    }
}
