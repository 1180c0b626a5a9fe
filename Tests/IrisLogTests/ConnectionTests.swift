import IrisLogCore
import IrisLogNetwork
import IrisLogProtocol1
import IrisLogProtocol2
import NIOCore
import NIOPosix
import Testing

/// Goal: connections that go wrong end soon and concern nobody else.
struct ConnectionTests {
    @Test("A server that says nothing is left out of the answer", arguments: Cluster.Version.allCases)
    func silentServer(version: Cluster.Version) async throws {
        try await Cluster.with([version, version, version], running: [0, 1], silent: [2]) { cluster in
            // The answer must come before this client's own 10 s are over.
            let client = try await cluster.client(version, of: 1)
            #expect(try await client.query(hamburg + "/node/current/text()") == ["0.1"])
            await client.close()
        }
    }

    @Test("A client waits for a reply no longer than its time-out, and its connection ends with it")
    func timeout() async throws {
        let silent = try await RunningServer(host: "127.0.0.1", clientPort: 0, peerPort: 0)
        let client = try await IrisLogClient1.connect(
            host: "127.0.0.1", port: silent.clients.port, timeout: .seconds(1))
        await #expect(throws: IrisLogError(.unreachable, "no answer in time")) { try await client.ping() }
        await #expect(throws: IrisLogError(.unreachable, "the connection is closed")) { try await client.ping() }
        await silent.clients.close()
        await silent.peers.close()
    }

    @Test("A request ends when its task is cancelled")
    func cancellation() async throws {
        let silent = try await RunningServer(host: "127.0.0.1", clientPort: 0, peerPort: 0)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = try await IrisLogClient2.connect(
            host: "127.0.0.1", port: silent.clients.port, group: group, timeout: .seconds(600))
        let waiting = Task { try await client.ping() }
        waiting.cancel()
        await #expect(throws: IrisLogError.self) { try await waiting.value }
        await silent.clients.close()
        await silent.peers.close()
        try await group.shutdownGracefully()
    }

    @Test("Nobody there is an error of the client")
    func nobody() async throws {
        let port = try DeadPort()
        await #expect(throws: IrisLogError(.unreachable, "127.0.0.1:\(port.number) does not answer")) {
            _ = try await IrisLogClient2.connect(host: "127.0.0.1", port: port.number)
        }
    }

    @Test("A line that is too long is refused and the connection closed")
    func longLine() async throws {
        try await Cluster.with([.one, .one, .one]) { cluster in
            let exchange = try await Exchange<Reply1Decoder>(
                host: "127.0.0.1", port: cluster.servers[0].clients.port, timeout: .seconds(60))
            let line = ByteBuffer(repeating: UInt8(ascii: "x"), count: Limits.lineBytes + 1)
            #expect(try await exchange.send(line) == .error(IrisLogError(.limit, "line too long")))
            await #expect(throws: IrisLogError.self) { _ = try await exchange.send(ByteBuffer(string: "PING\n")) }
        }
    }

    @Test("One connection more than the limit is closed, and there is room again when another leaves")
    func connectionLimit() async throws {
        let listener = try await Listener.bind(host: "127.0.0.1", port: 0, idle: .seconds(60))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await listener.serve(limit: 1) { inbound, outbound in
                    for try await _ in inbound { try await outbound.write(Reply1.pong.encoded) }
                }
            }
            defer { group.cancelAll() }
            let ping = ByteBuffer(string: "PING\n")
            func connect() async throws -> Exchange<Reply1Decoder> {
                try await Exchange<Reply1Decoder>(host: "127.0.0.1", port: listener.port, timeout: .seconds(60))
            }
            let first = try await connect()
            #expect(try await first.send(ping) == .pong)
            let second = try await connect()
            await #expect(throws: IrisLogError.self) { _ = try await second.send(ping) }
            await first.close()
            // The server notices at a time of its own that the first has left.
            var reply: Reply1?
            while reply == nil { reply = try? await connect().send(ping) }
            #expect(reply == .pong)
        }
    }

    @Test("A server may end while connections are still coming in")
    func endAmidConnections() async throws {
        for _ in 0..<10 {
            let unserved = try await Listener.bind(host: "127.0.0.1", port: 0, idle: .seconds(60))
            let served = try await Listener.bind(host: "127.0.0.1", port: 0, idle: .seconds(60))
            let serving = Task { try? await served.serve(limit: 100) { inbound, _ in for try await _ in inbound {} } }
            var clients: [Exchange<Reply1Decoder>] = []
            for port in [unserved.port, served.port] {
                for _ in 0..<10 {
                    clients.append(try await Exchange(host: "127.0.0.1", port: port, timeout: .seconds(60)))
                }
            }
            serving.cancel()
            await serving.value
            await unserved.close()
            for client in clients { await client.close() }
        }
    }

    @Test("A silent connection is closed after the idle limit")
    func idle() async throws {
        let listener = try await Listener.bind(host: "127.0.0.1", port: 0, idle: .milliseconds(20))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await listener.serve(limit: 1) { inbound, _ in for try await _ in inbound {} }
            }
            defer { group.cancelAll() }
            let exchange = try await Exchange<Reply1Decoder>(
                host: "127.0.0.1", port: listener.port, timeout: .seconds(60))
            await #expect(throws: IrisLogError.self) {
                _ = try await exchange.send(ByteBuffer(string: "never a whole line"))
            }
        }
    }
}
