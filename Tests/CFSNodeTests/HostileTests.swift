import CFSGeneration1
import CFSModel
import CFSNode
import CFSProtocol
import CFSProtocol1
import CFSRing
import NIOCore
import NIOPosix
import ONCRPC
import ONCRPCSockets
import Testing

/// Goal: what comes over the network without right is refused and counted, and the node goes on.
struct HostileTests {
    /// Asks the first node something as if from another one.
    private func ask<Generation: RingGeneration>(
        _: Generation.Type, _ request: RingRequest, _ ring: LocalRing, as source: ChordNode,
        of destination: ChordNode? = nil,
        from endpoint: RPCDatagramEndpoint
    ) async throws -> Generation.Answer {
        let node = try destination ?? node(ring.servers[0].address)
        let question = try Generation.question(request, to: node, from: source, at: .zero)
        return try await endpoint.client(to: ring.servers[0].address).call(Generation.exchange, question)
    }

    private func node(_ address: SocketAddress, _ number: UInt16 = 0) throws -> ChordNode {
        let port = UInt16(address.port ?? 0)
        return ChordNode(try #require(NodeAddress(ipv4: 0x7F00_0001, port: port, virtualNode: number)))
    }

    private func withEndpoint(_ body: (RPCDatagramEndpoint) async throws -> Void) async throws {
        let endpoint = try await RPCDatagramEndpoint.bind(host: "127.0.0.1", port: 0)
        async let serving: Void = endpoint.serve()
        do { try await body(endpoint) } catch {
            await endpoint.close()
            throw error
        }
        await endpoint.close()
        await serving
    }

    @Test(
        "a node that says to be another one than can be where it sends from is refused",
        arguments: TestGeneration.allCases)
    func forgedSource(_ generation: TestGeneration) async throws { try await forgedSource(generation, generation.type) }

    private func forgedSource<Generation: RingGeneration>(_ generation: TestGeneration, _: Generation.Type) async throws
    {
        try await LocalRing.with(1, generation) { ring in
            try await withEndpoint { endpoint in
                let forged = try node(endpoint.address, 1)
                guard case .done = try await ask(Generation.self, .chord(.successor), ring, as: forged, from: endpoint)
                else {
                    Issue.record("its own address was refused")
                    return
                }
                let other = ChordNode(try #require(NodeAddress(ipv4: 0x7F00_0001, port: 9, virtualNode: 0)))
                let error = await #expect(throws: RPCError.self) {
                    try await ask(Generation.self, .chord(.notify(other)), ring, as: other, from: endpoint)
                }
                #expect(error?.code == .refused(.authenticationError(.badCredential)))
                same(try await ring.count("not where it came from", 0), 1)
                // Nor is anybody else on the ring now.
                let successors = try await ring.control(0) { try await $0.call(Control1.successors, 0).nodes }
                #expect(successors.count == 1)
            }
        }
    }

    @Test(
        "questions to nodes that are not here, that nobody answers, and without sense are refused by their reason",
        arguments: TestGeneration.allCases)
    func refusals(_ generation: TestGeneration) async throws { try await refusals(generation, generation.type) }

    private func refusals<Generation: RingGeneration>(_ generation: TestGeneration, _: Generation.Type) async throws {
        try await LocalRing.with(1, generation) { ring in
            try await withEndpoint { endpoint in
                let me = try node(endpoint.address)
                let absent = try node(ring.servers[0].address, 3)
                same(
                    try await ask(Generation.self, .chord(.ping), ring, as: me, of: absent, from: endpoint),
                    .failed(.unknownNode))
                let client = endpoint.client(to: ring.servers[0].address)
                func question(_ program: UInt32, _ procedure: UInt32) throws -> Generation.Question {
                    Generation.Question(
                        destination: try node(ring.servers[0].address), source: me, sendTime: 0, program: program,
                        procedure: procedure, arguments: ByteBuffer())
                }
                same(try await client.call(Generation.exchange, question(344_449, 2)), .failed(.noHandler))
                same(try await client.call(Generation.exchange, question(344_449, 1)), .failed(.badArguments))
                for name in ["node that is not here", "no node answers", "question without sense"] {
                    same(try await ring.count(name, 0), 1, "\(name)")
                }
            }
        }
    }

    @Test("fragments and blocks that are none are refused and counted", arguments: TestGeneration.allCases)
    func badBlocks(_ generation: TestGeneration) async throws { try await badBlocks(generation, generation.type) }

    private func badBlocks<Generation: RingGeneration>(_ generation: TestGeneration, _: Generation.Type) async throws {
        try await LocalRing.with(1, generation) { ring in
            try await withEndpoint { endpoint in
                let me = try node(endpoint.address)
                func store(_ key: BlockKey, _ purpose: StorePurpose, _ data: [UInt8]) async throws -> RingReply {
                    let request = RingRequest.dhash(
                        .store(StoreRequest(key: key, purpose: purpose, size: data.count, offset: 0, data: data)))
                    let answer = try await ask(Generation.self, request, ring, as: me, from: endpoint)
                    return try Generation.reply(of: answer, to: request, by: try node(ring.servers[0].address)).reply
                }
                same(
                    try await store(BlockKey(ChordID(1), .contentHash), .fragment, [1, 2, 3]), .dhash(.failed(.error)))
                same(
                    try await store(BlockKey(ChordID(1), .keyHash), .replica, [1, 2, 3]),
                    .dhash(.failed(.storeNotVerified)))
                same(try await ring.count("blocks: refused", 0), 2)
                same(try await ring.control(0) { try await $0.call(Control1.store).bytes }, 0)
            }
        }
    }

    /// A socket that says what it is told to.
    private func withSocket(_ body: (any Channel) async throws -> Void) async throws {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        do { try await body(channel) } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    @Test(
        "datagrams that come again are answered from memory, replies that nobody asked for and garbage are ignored",
        arguments: TestGeneration.allCases)
    func replays(_ generation: TestGeneration) async throws { try await replays(generation, generation.type) }

    private func replays<Generation: RingGeneration>(_ generation: TestGeneration, _: Generation.Type) async throws {
        try await LocalRing.with(1, generation) { ring in
            let address = ring.servers[0].address
            try await withSocket { socket in
                let me = try node(try #require(socket.localAddress))
                let question = try Generation.question(
                    .chord(.successor), to: try node(address), from: me, at: .zero)
                let call = try Generation.exchange.call(question, xid: 77).encoded()
                let reply = try RPCReply(xid: 78, .success(ByteBuffer())).encoded()
                func send(_ bytes: ByteBuffer) async throws {
                    try await socket.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: bytes)).get()
                }
                try await send(call)
                // One after the other: what is still being carried out is not yet answered from memory.
                same(try await eventually { try await ring.count("answered: chord successor", 0) == 1 }, true)
                for _ in 0..<3 { try await send(call) }
                try await send(reply)
                try await send(ByteBuffer(string: "no RPC at all"))
                same(try await eventually { try await ring.count("answered from memory", 0) == 3 }, true)
                same(try await eventually { try await ring.count("never asked", 0) == 1 }, true)
                same(try await eventually { try await ring.count("garbage", 0) == 1 }, true)
                // Carried out once.
                same(try await ring.count("answered: chord successor", 0), 1)
            }
        }
    }
}
