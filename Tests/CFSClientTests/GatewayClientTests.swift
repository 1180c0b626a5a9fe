import CFSClient
import CFSFiles
import CFSMemoryGateway
import CFSModel
import NIOCore
import ONCRPC
import ONCRPCSockets
import Synchronization
import Testing

/// Goal: a client gets and stores blocks in either form, tries again what may pass, and says what did not.
struct GatewayClientTests {
    @Test("a block is stored and found, in either form", arguments: GatewayForm.allCases)
    func roundTrip(form: GatewayForm) async throws {
        let gateway = MemoryGateway(form)
        let (name, bytes) = block("some bytes")
        try await withClient(of: gateway) { client in
            let none = try await client.retrieve(name, .contentHash)
            #expect(none == nil)
            let path = try await client.insert(name, .contentHash, bytes, expiration: 77)
            #expect(path == [name])
            let found = try #require(try await client.retrieve(name, .contentHash))
            #expect(found.bytes == bytes)
            #expect(found.expiration == (form == .of2008 ? 77 : nil))
            #expect(gateway.expirations[name] == (form == .of2008 ? 77 : nil))
            #expect(client.counters == GatewayClient.Counters(requests: 3))
        }
    }

    @Test("a gateway at a Unix socket is found by its path")
    func unix() async throws {
        let path = "/tmp/cfs-client-\(UInt64.random(in: 0 ... .max))"
        let gateway = MemoryGateway(.of2004)
        let (name, bytes) = block("some bytes")
        try await withGateway(gateway, at: .unix(path: path)) { address in
            #expect(RPCAddress("unix:" + path) == address)
            let client = GatewayClient(to: address, .init(.of2004))
            try await client.insert(name, .contentHash, bytes)
            await client.close()
        }
        #expect(gateway.blocks[name] == bytes)
    }

    @Test("what fails between nodes is tried again", arguments: GatewayForm.allCases)
    func retries(form: GatewayForm) async throws {
        let gateway = MemoryGateway(form) { $0.number < 3 ? .failing(9) : .right }
        let (name, bytes) = block("some bytes")
        try await withClient(of: gateway) { client in
            try await client.insert(name, .contentHash, bytes)
            #expect(client.counters == GatewayClient.Counters(requests: 1, retries: 3))
        }
        #expect(gateway.blocks[name] == bytes)
    }

    @Test("what fails each time is an error that says how often")
    func givesUp() async throws {
        try await withClient(of: MemoryGateway(.of2008) { _ in .failing(20) }, attempts: 3) { client in
            let error = await #expect(throws: GatewayError.self) {
                try await client.retrieve(ChordID(7), .contentHash)
            }
            #expect(error == GatewayError(.failed(status: 20, name: "timedOut"), block: ChordID(7), attempts: 3))
            #expect(client.counters == GatewayClient.Counters(requests: 1, retries: 2, failures: 1))
        }
    }

    @Test(
        "a full disk, and a block that is not what its name says, are not tried again", arguments: [17, 22] as [UInt32])
    func final(status: UInt32) async throws {
        try await withClient(of: MemoryGateway(.of2008) { _ in .failing(status) }) { client in
            let error = await #expect(throws: GatewayError.self) {
                try await client.insert(ChordID(7), .contentHash, ByteBuffer())
            }
            #expect(error?.attempts == 1)
            #expect(client.counters.retries == 0)
        }
    }

    @Test("an answer that does not come is asked for again, on another connection")
    func silence() async throws {
        let gateway = MemoryGateway(.of2004) { $0.number == 0 ? .silent : .right }
        let (name, bytes) = block("some bytes")
        try await withClient(of: gateway, callTime: .milliseconds(50)) { client in
            try await client.insert(name, .contentHash, bytes)
            #expect(client.counters.retries >= 1)
        }
    }

    @Test("a gateway that was away is found again")
    func restart() async throws {
        let gateway = MemoryGateway(.of2004)
        let path = "/tmp/cfs-client-\(UInt64.random(in: 0 ... .max))"
        var options = GatewayClient.Options(.of2004)
        options.patience = RPCPatience(firstTime: .zero, attempts: 2)
        let client = GatewayClient(to: .unix(path: path), options)
        let error = await #expect(throws: GatewayError.self) { try await client.retrieve(ChordID(1), .contentHash) }
        #expect(error?.attempts == 2)
        #expect(error?.mayPass == true)
        for _ in 0..<2 {
            try await withGateway(gateway, at: .unix(path: path)) { _ in
                let none = try await client.retrieve(ChordID(1), .contentHash)
                #expect(none == nil)
            }
        }
        await client.close()
        let closed = await #expect(throws: GatewayError.self) { try await client.retrieve(ChordID(1), .contentHash) }
        #expect(closed?.attempts == 2)
    }

    @Test("the two forms do not pass for each other: the wrong one is an error, not a block")
    func wrongForm() async throws {
        let gateway = MemoryGateway(.of2008)
        let (name, bytes) = block("some bytes")
        try await withGateway(gateway) { address in
            var options = GatewayClient.Options(.of2004)
            options.patience = RPCPatience(firstTime: .zero, attempts: 2)
            let client = GatewayClient(to: address, options)
            let error = await #expect(throws: GatewayError.self) { try await client.insert(name, .contentHash, bytes) }
            #expect(error?.mayPass == false)
            await client.close()
        }
        #expect(gateway.blocks.isEmpty)
    }

    @Test("no more calls are under way than the window has")
    func window() async throws {
        let peak = Peak()
        let gateway = MemoryGateway(.of2004) { _ in
            peak.enter()
            return .delayed(.milliseconds(2))
        }
        try await withClient(of: gateway, concurrency: 3) { client in
            try await withThrowingTaskGroup { group in
                for number in 0..<30 {
                    group.addTask {
                        _ = try await client.retrieve(ChordID(UInt64(number)), .contentHash)
                        peak.leave()
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect((2...3).contains(peak.most))
    }

    /// How many are in at a time.
    private final class Peak: Sendable {
        private let state = Mutex((now: 0, most: 0))

        var most: Int { state.withLock { $0.most } }

        func enter() { state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }

        func leave() { state.withLock { $0.now -= 1 } }
    }

    @Test("whoever is cancelled while he waits for his turn does not wait any longer")
    func cancellation() async throws {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let gateway = MemoryGateway(.of2004) { _ in
            arrived.yield()
            return .silent
        }
        try await withClient(of: gateway, concurrency: 1) { client in
            let tasks = (0..<3).map { number in
                Task { try await client.retrieve(ChordID(UInt64(number)), .contentHash) }
            }
            for await _ in arrivals { break }
            for task in tasks { task.cancel() }
            for task in tasks {
                let error = await #expect(throws: GatewayError.self) { try await task.value }
                #expect(error?.code == .cancelled)
            }
        }
        #expect(gateway.retrievals == 1)
    }

    @Test(
        "addresses are read as people write them",
        arguments: [
            ("/tmp/chord-sock", RPCAddress.unix(path: "/tmp/chord-sock")), ("unix:sock", .unix(path: "sock")),
            ("10.99.1.2:10001", .tcp(host: "10.99.1.2", port: 10001)), ("[::1]:7", .tcp(host: "::1", port: 7)),
            ("localhost:65535", .tcp(host: "localhost", port: 65535)), ("", nil), ("unix:", nil), ("host", nil),
            ("host:", nil), (":7", nil), ("host:65536", nil), ("::1:7", nil), ("[]:7", nil),
            ("/" + String(repeating: "x", count: 107), nil),
        ] as [(String, RPCAddress?)])
    func addresses(text: String, address: RPCAddress?) {
        #expect(RPCAddress(text) == address)
    }
}
