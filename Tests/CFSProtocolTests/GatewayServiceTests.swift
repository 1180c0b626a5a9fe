import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing

/// Goal: both forms of the gateway are served and called over connections, and each other's messages do not pass for its own.
struct GatewayServiceTests {
    private actor Store {
        private var blocks: [ChordID: ByteBuffer] = [:]

        func put(_ block: ByteBuffer, for key: ChordID) { blocks[key] = block }

        func block(for key: ChordID) -> ByteBuffer? { blocks[key] }
    }

    private static func service1(_ store: Store) -> RPCService {
        var service = RPCService(Gateway1.program)
        service.on(Gateway1.insert) { insertion, _ in
            await store.put(insertion.block, for: insertion.key)
            return .stored(path: [insertion.key])
        }
        service.on(Gateway1.retrieve) { retrieval, _ in
            guard let block = await store.block(for: retrieval.key) else { return .failed(.noEntry) }
            return .found(Gateway1.Block(block, kind: retrieval.kind))
        }
        return service
    }

    private static func service2(_ store: Store) -> RPCService {
        var service = RPCService(Gateway2.program)
        service.on(Gateway2.insert) { insertion, _ in
            await store.put(insertion.block, for: insertion.key)
            return .stored(path: [])
        }
        service.on(Gateway2.retrieve) { retrieval, _ in
            guard let block = await store.block(for: retrieval.key) else { return .failed(.noEntry) }
            return .found(Gateway2.Block(block, kind: retrieval.kind, expiration: 7))
        }
        return service
    }

    private func serve(_ service: RPCService, _ body: (RPCStreamClient) async throws -> Void) async throws {
        let server = try await RPCStreamServer.bind(to: .tcp(host: "127.0.0.1", port: 0), services: [service])
        async let serving: Void = server.serve()
        do {
            let client = try await RPCStreamClient.connect(to: server.address)
            try await body(client)
            await client.close()
        } catch {
            await server.close()
            throw error
        }
        await server.close()
        await serving
    }

    @Test("a block of 2004 is stored and found")
    func form2004() async throws {
        try await serve(Self.service1(Store())) { client in
            let (key, block) = (ChordID(7), ByteBuffer(repeating: 9, count: 8191))
            let none = try await client.call(Gateway1.retrieve, Gateway1.Retrieval(key: key, kind: .contentHash))
            #expect(none == .failed(.noEntry))
            let insertion = Gateway1.Insertion(key: key, kind: .contentHash, block: block)
            let stored = try await client.call(Gateway1.insert, insertion)
            #expect(stored == .stored(path: [key]))
            let found = try await client.call(Gateway1.retrieve, Gateway1.Retrieval(key: key, kind: .contentHash))
            #expect(found == .found(Gateway1.Block(block, kind: .contentHash)))
            // As the historic node answers.
            let error = await #expect(throws: RPCError.self) { try await client.call(Gateway1.active, 1) }
            #expect(error?.code == .refused(.procedureUnavailable))
        }
    }

    @Test("a block of 2008 is stored and found, the largest too")
    func form2008() async throws {
        try await serve(Self.service2(Store())) { client in
            let block = ByteBuffer(repeating: 9, count: 1024 * 1024)
            let insertion = Gateway2.Insertion(key: ChordID(7), kind: .contentHash, block: block)
            let stored = try await client.call(Gateway2.insert, insertion)
            #expect(stored == .stored(path: []))
            let found = try await client.call(
                Gateway2.retrieve, Gateway2.Retrieval(key: ChordID(7), kind: .contentHash))
            #expect(found == .found(Gateway2.Block(block, kind: .contentHash, expiration: 7)))
        }
    }

    @Test("a block beyond the limit is not sent")
    func tooLarge() async throws {
        try await serve(Self.service2(Store())) { client in
            let block = ByteBuffer(repeating: 9, count: 1024 * 1024 + 1)
            let error = await #expect(throws: RPCError.self) {
                try await client.call(
                    Gateway2.insert, Gateway2.Insertion(key: ChordID(7), kind: .contentHash, block: block))
            }
            #expect(error?.code == .badArguments(XDRError(.tooLong(count: 1_048_577, max: 1_048_576), at: 12)))
        }
    }

    @Test("the two forms do not understand each other's insertions")
    func incompatible() async throws {
        let block = ByteBuffer(string: "a block that both could store")
        try await serve(Self.service1(Store())) { client in
            let error = await #expect(throws: RPCError.self) {
                try await client.call(
                    Gateway2.insert, Gateway2.Insertion(key: ChordID(7), kind: .contentHash, block: block))
            }
            #expect(error?.code == .refused(.garbageArguments))
        }
        try await serve(Self.service2(Store())) { client in
            let error = await #expect(throws: RPCError.self) {
                try await client.call(
                    Gateway1.insert, Gateway1.Insertion(key: ChordID(7), kind: .contentHash, block: block))
            }
            #expect(error?.code == .refused(.garbageArguments))
        }
    }
}
