import Glibc
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing

/// Goal: over TCP and Unix sockets, calls are answered, and connections that go wrong end soon and concern nobody else.
struct StreamTests {
    private static func limits(_ change: (inout RPCLimits) -> Void) -> RPCLimits {
        var limits = RPCLimits()
        change(&limits)
        return limits
    }

    @Test("a call gets its results over TCP")
    func documented() async throws {
        let service = Counter.service(Counter())
        let server = try await RPCStreamServer.bind(to: .tcp(host: "127.0.0.1", port: 0), services: [service])
        async let serving: Void = server.serve()
        let client = try await RPCStreamClient.connect(to: server.address)
        let sum = try await client.call(Counting.add, 7)
        await client.close()
        await server.close()
        await serving
        #expect(sum == 7)
    }

    @Test("a call gets its results over a Unix socket, whose file is gone afterwards")
    func unix() async throws {
        let socket = try TemporarySocket()
        try await withServer(.unix(path: socket.path), services: [Counter.service(Counter())]) { server in
            #expect(socket.isThere)
            let client = try await RPCStreamClient.connect(to: server.address)
            #expect(try await client.call(Counting.add, 7) == 7)
            await client.close()
        }
        #expect(!socket.isThere)
    }

    @Test("the file of a Unix socket is replaced if nobody listens there, and only then")
    func abandoned() async throws {
        let path = try TemporarySocket()
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.path.utf8) }
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
        close(descriptor)
        try await withServer(.unix(path: path.path), services: [Counter.service(Counter())]) { server in
            let error = await #expect(throws: IOError.self) {
                _ = try await RPCStreamServer.bind(to: .unix(path: path.path), services: [])
            }
            #expect(error?.errnoCode == EADDRINUSE)
            // The first one never noticed.
            let client = try await RPCStreamClient.connect(to: server.address)
            #expect(try await client.call(Counting.add, 7) == 7)
            await client.close()
        }
    }

    @Test("calls of a connection are answered as they are done")
    func pipelined() async throws {
        let gate = Gate()
        try await withServer(services: [Waiting.service(gate), Counter.service(Counter())]) { server in
            let client = try await RPCStreamClient.connect(to: server.address)
            try await withThrowingTaskGroup(of: UInt32.self) { group in
                for number in 0..<20 as Range<UInt32> {
                    group.addTask { try await client.call(Waiting.wait, number) }
                }
                await gate.arrivals(20)
                // Overtakes them all.
                #expect(try await client.call(Counting.add, 7) == 7)
                await gate.open()
                let numbers = try await group.reduce(into: []) { $0.append($1) }
                #expect(numbers.sorted() == Array(0..<20))
            }
            #expect(server.counters.carriedOut == 21 && server.counters.connections == 1)
            await client.close()
        }
    }

    @Test("calls of a connection are answered in their order where that is asked for, and carried out side by side")
    func ordered() async throws {
        let gate = Gate()
        let services = [Waiting.service(gate), Counter.service(Counter())]
        try await withServer(services: services, order: .calls) { server in
            let connection = try await RawConnection(to: server.address)
            let calls = try [
                Waiting.wait.call(5, xid: 9), Counting.add.call(7, xid: 4), Counting.add.call(1, xid: 8),
                RPCCall(xid: 2, program: 77, version: 1, procedure: 1), Waiting.wait.call(6, xid: 1),
            ]
            async let received = connection.exchange(calls.map { RecordMarking.record(try $0.encoded()) })
            // Both wait; what came between them was done meanwhile.
            await gate.arrivals(2)
            await gate.open()
            var reader = RecordReader()
            reader.append(try await received)
            var numbers: [UInt32] = []
            while let record = try reader.next() { numbers.append(record.getInteger(at: record.readerIndex) ?? 0) }
            #expect(numbers == calls.map(\.xid))
            #expect(server.counters.carriedOut == 4 && server.counters.refused == 1)
        }
    }

    @Test("of one connection no more calls are carried out at a time than may be, and the others wait")
    func busy() async throws {
        let gate = Gate()
        try await withServer(services: [Waiting.service(gate)], limits: Self.limits { $0.connectionCallsMax = 2 }) {
            server in
            let client = try await RPCStreamClient.connect(to: server.address)
            try await withThrowingTaskGroup(of: UInt32.self) { group in
                for number in 0..<5 as Range<UInt32> {
                    group.addTask { try await client.call(Waiting.wait, number) }
                }
                await gate.arrivals(2)
                await gate.open()
                let numbers = try await group.reduce(into: []) { $0.append($1) }
                #expect(numbers.sorted() == Array(0..<5))
            }
            await client.close()
        }
    }

    @Test("a call that comes byte by byte, in fragments, is answered after its client said that nothing more comes")
    func drip() async throws {
        try await withServer(services: [Counter.service(Counter())]) { server in
            var message = try Counting.add.call(5, xid: 3).encoded()
            var stream = hex("00000000 0000000b")
            let beginning = message.readSlice(length: 11)
            stream.writeImmutableBuffer(try #require(beginning))
            stream.writeImmutableBuffer(RecordMarking.record(message))
            let bytes = stream.readableBytesView.map { ByteBuffer(bytes: [$0]) }
            let answer = try await RawConnection(to: server.address).exchange(bytes)
            let reply = try RPCReply(xid: 3, .success(hex("00000000 00000005"))).encoded()
            #expect(answer == RecordMarking.record(reply))
        }
    }

    @Test(
        "a connection that carries no RPC is closed and counted",
        arguments: [
            hex("ffffffff"), hex("00200000"), text("GET / HTTP/1.1\r\n\r\n"), hex("80000004 00000001"), hex("80000000"),
        ])
    func noRPC(bytes: ByteBuffer) async throws {
        try await withServer(services: [Counter.service(Counter())]) { server in
            let answer = try await RawConnection(to: server.address).exchange([bytes], finish: false)
            #expect(answer == ByteBuffer())
            #expect(await eventually { server.counters.brokenConnections == 1 })
        }
    }

    @Test("a stream that ends within a record is closed and counted")
    func truncated() async throws {
        try await withServer(services: [Counter.service(Counter())]) { server in
            let answer = try await RawConnection(to: server.address).exchange([hex("80000028 00000001")])
            #expect(answer == ByteBuffer())
            #expect(await eventually { server.counters.brokenConnections == 1 })
        }
    }

    @Test("replies to calls that the server never made are counted and do nothing")
    func invented() async throws {
        try await withServer(services: [Counter.service(Counter())]) { server in
            let invented = try RecordMarking.record(RPCReply(xid: 9, .systemError).encoded())
            let call = try RecordMarking.record(Counting.add.call(5, xid: 3).encoded())
            let answer = try await RawConnection(to: server.address).exchange([invented, call])
            let reply = try RPCReply(xid: 3, .success(hex("00000000 00000005"))).encoded()
            #expect(answer == RecordMarking.record(reply))
            #expect(server.counters.unknownReplies == 1)
        }
    }

    @Test("a record that does not come in its time ends its connection, and so does silence")
    func slow() async throws {
        let slow = Self.limits { $0.recordTime = .milliseconds(20) }
        try await withServer(services: [Counter.service(Counter())], limits: slow) { server in
            let answer = try await RawConnection(to: server.address).exchange([hex("8000")], finish: false)
            #expect(answer == ByteBuffer())
            #expect(await eventually { server.counters.brokenConnections == 1 })
        }
        let silent = Self.limits { $0.idleTime = .milliseconds(20) }
        try await withServer(services: [Counter.service(Counter())], limits: silent) { server in
            let answer = try await RawConnection(to: server.address).exchange([], finish: false)
            #expect(answer == ByteBuffer())
        }
    }

    @Test("one connection more than the limit is closed, and there is room again when another leaves")
    func connectionLimit() async throws {
        try await withServer(services: [Counter.service(Counter())], limits: Self.limits { $0.connectionsMax = 1 }) {
            server in
            let first = try await RPCStreamClient.connect(to: server.address)
            #expect(try await first.call(Counting.add, 1) == 1)
            let second = try await RPCStreamClient.connect(to: server.address)
            let error = await #expect(throws: RPCError.self) { try await second.call(Counting.add, 1) }
            #expect(error?.side == .network)
            await first.close()
            // The server notices at a time of its own that the first has left.
            var total: Int64?
            while total == nil {
                let client = try await RPCStreamClient.connect(to: server.address)
                total = try? await client.call(Counting.total)
                await client.close()
            }
            #expect(total == 1 && server.counters.refusedConnections >= 1)
        }
    }

    @Test("a server that ends, ends the calls that wait")
    func serverEnds() async throws {
        let gate = Gate()
        try await withServer(services: [Waiting.service(gate)]) { server in
            let client = try await RPCStreamClient.connect(to: server.address)
            let call = Task { try await client.call(Waiting.wait, 1) }
            await gate.arrivals(1)
            await server.close()
            var error = await #expect(throws: RPCError.self) { try await call.value }
            guard case .disconnected = error?.code else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(error?.isRetrySafe == false)
            error = await #expect(throws: RPCError.self) { try await client.call(Waiting.wait, 1) }
            #expect(error?.isRetrySafe == true)
            error = await #expect(throws: RPCError.self) { try await RPCStreamClient.connect(to: server.address) }
            #expect(error?.isRetrySafe == true)
            // The task of the call has to end some time.
            await gate.open()
        }
    }

    @Test("a call waits no longer than its time, and its connection goes on")
    func timeout() async throws {
        let gate = Gate()
        try await withServer(services: [Waiting.service(gate), Counter.service(Counter())]) { server in
            let client = try await RPCStreamClient.connect(to: server.address)
            let error = await #expect(throws: RPCError.self) {
                try await client.call(Waiting.wait, 1, patience: .once(.milliseconds(20)))
            }
            #expect(error?.code == .timedOut(attempts: 1))
            await gate.open()
            #expect(try await client.call(Counting.add, 7) == 7)
            await client.close()
        }
    }

    @Test(
        "a server that sends no RPC, or calls, is given up",
        arguments: [hex("ffffffff"), hex("80000000"), hex("80000028")])
    func badServer(bytes: ByteBuffer) async throws {
        var bytes = bytes
        if bytes == hex("80000028") { bytes = RecordMarking.record(try Counting.total.call(XDRVoid()).encoded()) }
        let listener = try await BadServer.bind(bytes)
        let client = try await RPCStreamClient.connect(to: listener.address)
        let error = await #expect(throws: RPCError.self) { try await client.call(Counting.add, 7) }
        #expect(error?.side == .network)
        await listener.close()
    }
}

/// Waits for what happens at a time of its own; the test's own time-out ends it.
private func eventually(_ condition: () -> Bool) async -> Bool {
    while !condition() { await Task.yield() }
    return true
}
