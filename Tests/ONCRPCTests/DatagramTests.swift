import NIOCore
import NIOPosix
import ONCRPC
import ONCRPCSockets
import Testing

/// Goal: over UDP, calls are answered, sent again, and kept apart from what nobody asked for.
struct DatagramTests {
    @Test("a call gets its results")
    func call() async throws {
        try await withEndpoint(services: [Counter.service(Counter())]) { server in
            try await withEndpoint { endpoint in
                let client = endpoint.client(to: server.address)
                #expect(try await client.call(Counting.add, 5) == 5)
                #expect(try await client.call(Counting.add, 7) == 12)
                #expect(try await client.call(Counting.total) == 12)
                _ = try await client.call(Counting.program.null)
            }
        }
    }

    @Test("one socket is client and server, also of itself")
    func documented() async throws {
        let service = Counter.service(Counter())
        let endpoint = try await RPCDatagramEndpoint.bind(host: "127.0.0.1", port: 0, services: [service])
        async let serving: Void = endpoint.serve()
        let sum = try await endpoint.client(to: endpoint.address).call(Counting.add, 5)
        await endpoint.close()
        await serving
        #expect(sum == 5)
    }

    @Test("IPv6 is as good")
    func version6() async throws {
        let endpoint = try await RPCDatagramEndpoint.bind(host: "::1", port: 0, services: [Counter.service(Counter())])
        async let serving: Void = endpoint.serve()
        #expect(try await endpoint.client(to: endpoint.address).call(Counting.add, 5) == 5)
        await endpoint.close()
        await serving
    }

    @Test("many calls at a time get their own results")
    func many() async throws {
        let gate = Gate()
        try await withEndpoint(services: [Waiting.service(gate)]) { server in
            try await withEndpoint { endpoint in
                let client = endpoint.client(to: server.address, patience: .once(.seconds(60)))
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<100 as Range<UInt32> {
                        group.addTask { try await client.call(Waiting.wait, number) == number }
                    }
                    await gate.arrivals(100)
                    await gate.open()
                    for try await isRight in group { #expect(isRight) }
                }
            }
        }
    }

    @Test("a call whose replies are slow is sent again, and carried out once")
    func again() async throws {
        let gate = Gate()
        try await withEndpoint(services: [Waiting.service(gate)]) { server in
            try await withEndpoint { endpoint in
                let patience = RPCPatience(
                    firstTime: .milliseconds(5), factor: 1, longestTime: .milliseconds(5), attempts: 12_000)
                async let result = endpoint.client(to: server.address, patience: patience).call(Waiting.wait, 9)
                while await server.counters()?.service.duplicates ?? 0 < 3 { await Task.yield() }
                await gate.open()
                let number = try await result
                #expect(number == 9)
                #expect(await server.counters()?.service.carriedOut == 1)
                #expect(await endpoint.counters()?.client.resent ?? 0 >= 3)
            }
        }
    }

    @Test("nobody there: the call is given up after its attempts, and says so")
    func nobody() async throws {
        try await withEndpoint { server in
            let address = server.address
            await server.close()
            try await withEndpoint { endpoint in
                let patience = RPCPatience(firstTime: .milliseconds(1), attempts: 3)
                let error = await #expect(throws: RPCError.self) {
                    try await endpoint.client(to: address, patience: patience).call(Counting.add, 5)
                }
                #expect(error?.code == .timedOut(attempts: 3) && error?.isRetrySafe == false)
            }
        }
    }

    @Test("replies to requests never made and datagrams that are none are counted and do nothing")
    func invented() async throws {
        try await withEndpoint(services: [Counter.service(Counter())]) { server in
            let stranger = try await Stranger(to: server.address)
            try await stranger.send(RPCReply(xid: 1, .success(ByteBuffer())).encoded())
            try await stranger.send(text("what is this?"))
            try await stranger.send(ByteBuffer())
            // Answered, so all before it have come.
            try await stranger.send(Counting.add.call(3, xid: 77).encoded())
            #expect(try await stranger.receive() == RPCReply(xid: 77, .success(hex("00000000 00000003"))).encoded())
            let counters = try #require(await server.counters())
            #expect(counters.garbage == 2 && counters.client.unknownReplies == 1 && counters.service.carriedOut == 1)
        }
    }

    @Test("a replayed datagram gets the same answer, from memory")
    func replayed() async throws {
        let counter = Counter()
        try await withEndpoint(services: [Counter.service(counter)]) { server in
            let stranger = try await Stranger(to: server.address)
            for _ in 0..<3 {
                try await stranger.send(Counting.add.call(3, xid: 77).encoded())
                #expect(try await stranger.receive() == RPCReply(xid: 77, .success(hex("00000000 00000003"))).encoded())
            }
            #expect(await counter.total == 3)
            #expect(await server.counters()?.service.replayed == 2)
        }
    }

    @Test("calls that no procedure is for are answered")
    func refused() async throws {
        try await withEndpoint(services: [Counter.service(Counter())]) { server in
            let stranger = try await Stranger(to: server.address)
            var call = try Counting.add.call(3, xid: 5)
            call.program = 1
            try await stranger.send(call.encoded())
            #expect(try await stranger.receive() == RPCReply(xid: 5, .programUnavailable).encoded())
            var bytes = try Counting.add.call(3, xid: 6).encoded()
            bytes.setInteger(9, at: 8, as: UInt32.self)
            try await stranger.send(bytes)
            #expect(try await stranger.receive() == RPCReply(xid: 6, .versionMismatch(low: 2, high: 2)).encoded())
        }
    }

    @Test("what is too long for a datagram is not sent")
    func tooLong() async throws {
        try await withEndpoint { endpoint in
            let procedure = RPCProcedure<Blob, XDRVoid>(Counting.program, 1, "BLOB")
            let error = await #expect(throws: RPCError.self) {
                try await endpoint.client(to: endpoint.address).call(procedure, Blob(count: 65_507))
            }
            #expect(error?.code == .tooLarge(bytes: 65_552, max: 65_507) && error?.side == .client)
        }
    }

    @Test("the longest datagram arrives whole")
    func longest() async throws {
        let procedure = RPCProcedure<Blob, UInt32>(Counting.program, 1, "BLOB")
        var service = RPCService(Counting.program)
        service.on(procedure) { blob, _ in UInt32(blob.bytes.readableBytes) }
        try await withEndpoint(services: [service]) { server in
            let count = 65_507 - 44 - 3
            let arrived = try await server.client(to: server.address).call(procedure, Blob(count: count))
            #expect(arrived == UInt32(count))
        }
    }

    @Test("a cancelled call waits no longer, and leaves nothing behind")
    func cancelled() async throws {
        let gate = Gate()
        try await withEndpoint(services: [Waiting.service(gate)]) { server in
            let call = Task { try await server.client(to: server.address).call(Waiting.wait, 1) }
            await gate.arrivals(1)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            await gate.open()
            // Its reply comes to nobody.
            while await server.counters()?.client.duplicateReplies != 1 { await Task.yield() }
        }
    }

    @Test("a socket that is closed ends the calls that wait, and takes no other")
    func closed() async throws {
        let gate = Gate()
        try await withEndpoint(services: [Waiting.service(gate)]) { server in
            let endpoint = try await RPCDatagramEndpoint.bind(host: "127.0.0.1", port: 0)
            let client = endpoint.client(to: server.address)
            let call = Task { try await client.call(Waiting.wait, 1) }
            await gate.arrivals(1)
            await endpoint.close()
            #expect(await endpoint.counters() == nil)
            var error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .disconnected("the socket was closed") && error?.isRetrySafe == false)
            error = await #expect(throws: RPCError.self) { try await client.call(Waiting.wait, 1) }
            #expect(error?.isRetrySafe == true)
            await gate.open()
        }
    }
}

/// Opaque data of any length.
private struct Blob: XDRCodable {
    var bytes: ByteBuffer

    init(count: Int) { bytes = ByteBuffer(repeating: 1, count: count) }

    init(from reader: inout XDRReader) throws(XDRError) { bytes = try reader.readOpaque() }

    func write(to writer: inout XDRWriter) throws(XDRError) { try writer.writeOpaque(bytes) }
}

/// A UDP socket that sends what it likes.
private final class Stranger: Sendable {
    private let channel: any Channel
    private let received: AsyncStream<ByteBuffer>

    init(to address: SocketAddress) async throws {
        let (received, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        self.received = received
        channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Receiver(continuation))
                }
            }
            .connect(to: address).get()
    }

    deinit { channel.close(promise: nil) }

    func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

    func receive() async throws -> ByteBuffer? { await received.first { _ in true } }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            continuation.yield(unwrapInboundIn(data).data)
        }
    }
}
