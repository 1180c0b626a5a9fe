import CFSAdapter
import CFSBlocks
import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSProtocol2
import ONCRPC
import Testing
import VersionKit
import VersionKitTesting

@Suite("CFSAdapter")
struct CFSAdapterTests {
    private let block = ByteBuffer(string: "five!")
    private var name: ChordID { ChordID(hashing: block.readableBytesView) }
    private let stored1 = Gateway1.InsertResult.stored(path: [ChordID(7)])
    private let stored2 = Gateway2.InsertResult.stored(path: [ChordID(7)])

    private func talk(_ versions: VersionList) -> InMemoryProxy<CFSAdapter> {
        InMemoryProxy(CFSAdapter(), versions: versions)
    }

    // MARK: Words on the wire

    private func call<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments, _ xid: UInt32 = 1
    ) throws -> ByteBuffer {
        RecordMarking.record(try procedure.call(arguments, xid: xid).encoded())
    }

    private func reply(_ results: some XDRCodable, _ xid: UInt32 = 1) throws -> ByteBuffer {
        RecordMarking.record(try RPCReply(xid: xid, .success(XDRWriter.bytes(of: results))).encoded())
    }

    private func insert1(_ block: ByteBuffer, _ kind: Gateway1.Kind = .contentHash, as name: ChordID) throws
        -> ByteBuffer
    { try call(Gateway1.insert, .init(key: name, kind: kind, block: block)) }

    private func insert2(
        _ block: ByteBuffer, _ kind: Gateway2.Kind = .contentHash, as name: ChordID, expiration: UInt32 = 0
    ) throws -> ByteBuffer {
        let options: GatewayOptions = expiration > 0 ? .expirationSupplied : []
        return try call(
            Gateway2.insert, .init(key: name, kind: kind, block: block, expiration: expiration, options: options))
    }

    private func key(_ seed: UInt8) throws -> SigningKey {
        try #require(SigningKey(seed: Array(repeating: seed, count: 32)))
    }

    private func signed(_ version: UInt32, _ key: SigningKey) -> SignedBlock {
        SignedBlock(ByteBuffer(string: "root \(version)"), version: version, by: key)
    }

    // MARK: Tests

    @Test("a block of a client of 2004 goes to both rings, to each in its own form, and is stored when both have it")
    func insertOf2004() throws {
        var talk = self.talk([1, 2])
        talk.say(try insert1(block, as: name), as: "client")
        #expect(talk.takeSent(to: 1, by: "client") == (try insert1(block, as: name)))
        #expect(talk.takeSent(to: 2, by: "client") == (try insert2(block, as: name)))
        talk.answer(try reply(stored2), from: 2, to: "client")
        #expect(talk.takeReceived(by: "client").readableBytes == 0)
        talk.answer(try reply(stored1), from: 1, to: "client")
        #expect(talk.takeReceived(by: "client") == (try reply(stored1)))
    }

    @Test("a block of a client of 2008 goes to the old ring without the time at which it may go")
    func insertOf2008() throws {
        var talk = self.talk([1, 2])
        let bytes = try insert2(block, as: name, expiration: 4_000_000_000)
        talk.say(bytes, as: "client")
        #expect(talk.takeSent(to: 2, by: "client") == bytes)
        #expect(talk.takeSent(to: 1, by: "client") == (try insert1(block, as: name)))
    }

    @Test("which generation a client is of can be told from any block that it stores", arguments: [1, 4, 8, 2048])
    func identification(length: Int) throws {
        // Empty ones are the same bytes in both. The first word of the block is what 2004 would have there: the length, filled up.
        var block = ByteBuffer(integer: UInt32(length & ~3))
        block.writeRepeatingByte(1, count: max(0, length - 4))
        block = block.getSlice(at: 0, length: length) ?? block
        let name = ChordID(hashing: block.readableBytesView)
        var old = PeekBuffer(try insert1(block, as: name))
        #expect(try CFSAdapter().identifyClient(&old) == 1)
        var new = PeekBuffer(try insert2(block, as: name))
        #expect(try CFSAdapter().identifyClient(&new) == 2)
    }

    @Test("a block is asked for in the new ring first, and in the old one if it is not there")
    func retrieve() throws {
        var talk = self.talk([1, 2])
        let ask = try call(Gateway1.retrieve, .init(key: name, kind: .contentHash), 5)
        talk.say(ask, as: "client")
        #expect(talk.takeSent(to: 2, by: "client") == ask)
        #expect(talk.isSilent)
        talk.answer(try reply(Gateway2.RetrieveResult.failed(.noEntry), 5), from: 2, to: "client")
        #expect(talk.takeSent(to: 1, by: "client") == ask)
        let found = try reply(Gateway1.RetrieveResult.found(.init(block, kind: .contentHash, hops: 3)), 5)
        talk.answer(found, from: 1, to: "client")
        #expect(talk.takeReceived(by: "client") == found)
    }

    @Test("a client of 2004 gets a block of the new ring with its length")
    func translation() throws {
        var talk = self.talk([1, 2])
        talk.say(try call(Gateway1.retrieve, .init(key: name, kind: .contentHash)), as: "client")
        let found = Gateway2.Block(block, kind: .contentHash, expiration: 4_000_000_000, hops: 2, times: [1, 2])
        talk.answer(try reply(Gateway2.RetrieveResult.found(found)), from: 2, to: "client")
        let same = Gateway1.Block(block, kind: .contentHash, hops: 2, times: [1, 2])
        #expect(talk.takeReceived(by: "client") == (try reply(Gateway1.RetrieveResult.found(same))))
    }

    @Test("a block that is not what its name promises is not given back: the other ring is asked")
    func lies() throws {
        var talk = self.talk([1, 2])
        talk.say(try call(Gateway1.retrieve, .init(key: name, kind: .contentHash)), as: "client")
        let wrong = Gateway2.Block(ByteBuffer(string: "six!!!"), kind: .contentHash)
        talk.answer(try reply(Gateway2.RetrieveResult.found(wrong)), from: 2, to: "client")
        let right = try reply(Gateway1.RetrieveResult.found(.init(block, kind: .contentHash)))
        talk.answer(right, from: 1, to: "client")
        #expect(talk.takeReceived(by: "client") == right)
    }

    @Test(
        "of two signed blocks the one with the greater version counts, and one that is not signed by its key does not")
    func signedBlocks() throws {
        let key = try self.key(1)
        let (older, newer) = (signed(100, key), signed(200, key))
        let forged = SignedBlock(ByteBuffer(string: "mine"), version: 300, by: try self.key(2))
        for (first, second) in [(newer, older), (newer, forged)] {
            var talk = self.talk([1, 2])
            talk.say(try call(Gateway1.retrieve, .init(key: newer.name, kind: .keyHash)), as: "client")
            let found1 = try reply(Gateway1.RetrieveResult.found(.init(first.bytes, kind: .keyHash)))
            talk.answer(found1, from: 1, to: "client")
            talk.answer(
                try reply(Gateway2.RetrieveResult.found(.init(second.bytes, kind: .keyHash))), from: 2, to: "client")
            #expect(talk.takeReceived(by: "client") == found1)
        }
    }

    @Test("a signed block that one ring has in a newer version already has not failed")
    func stale() throws {
        var talk = self.talk([1, 2])
        let root = signed(100, try self.key(1))
        talk.say(try insert1(root.bytes, .keyHash, as: root.name), as: "client")
        talk.answer(try reply(stored1), from: 1, to: "client")
        talk.answer(try reply(Gateway2.InsertResult.failed(.stale)), from: 2, to: "client")
        #expect(talk.isEven)
    }

    @Test("a ring that is down when a block is stored gets it later")
    func catchUp() throws {
        var talk = self.talk([1, 2])
        talk.say(try insert1(block, as: name), as: "client")
        talk.answer(try reply(stored2), from: 2, to: "client")
        talk.lose(1)
        #expect(talk.takeReceived(by: "client") == (try reply(stored1)))
        #expect(!talk.isEven && talk.diverged.isEmpty)
    }

    @Test("what is no call of the gateway's is answered as RPC says, and asks nobody")
    func refusals() throws {
        var talk = self.talk([1, 2])
        let program = Gateway1.program
        let calls: [(RPCCall, RPCReply.Outcome)] = [
            (RPCCall(xid: 3, program: 100_003, version: 3, procedure: 1), .programUnavailable),
            (RPCCall(xid: 3, program: program.number, version: 2, procedure: 1), .programMismatch(low: 1, high: 1)),
            (RPCCall(xid: 3, program: program.number, version: 1, procedure: 3), .procedureUnavailable),
            (RPCCall(xid: 3, program: program.number, version: 1, procedure: 1), .garbageArguments),
        ]
        for (call, outcome) in calls {
            talk.say(RecordMarking.record(try call.encoded()), as: "client")
            let answer = RecordMarking.record(try RPCReply(xid: 3, outcome).encoded())
            #expect(talk.takeReceived(by: "client") == answer)
        }
        #expect(talk.isSilent)
    }

    @Test("a reply to another call ends the ring's connection, and the other ring answers")
    func wrongNumber() throws {
        var talk = self.talk([1, 2])
        talk.say(try call(Gateway1.retrieve, .init(key: name, kind: .contentHash)), as: "client")
        let found = Gateway2.Block(block, kind: .contentHash)
        talk.answer(try reply(Gateway2.RetrieveResult.found(found), 77), from: 2, to: "client")
        let isDropped = talk.takeDropped(2, of: "client")
        #expect(isDropped)
        let right = try reply(Gateway1.RetrieveResult.found(.init(block, kind: .contentHash)))
        talk.answer(right, from: 1, to: "client")
        #expect(talk.takeReceived(by: "client") == right)
    }

    @Test("calls and replies end where they end, however they come, and damaged ones never trap")
    func framing() throws {
        let key = try self.key(1)
        let root = signed(1, key)
        let asks1 = try [
            insert1(block, as: name), insert1(root.bytes, .keyHash, as: root.name), insert1(block, .append, as: name),
            call(Gateway1.retrieve, .init(key: name, kind: .unauthenticated)), call(Gateway1.program.null, XDRVoid()),
        ]
        let asks2 = try [insert2(block, as: name), call(Gateway2.retrieve, .init(key: name, kind: .contentHash))]
        let check = FramingCheck(CFSAdapter())
        try check.requests(asks1, from: 1)
        try check.requests(asks2, from: 2)
        let found1 = try reply(Gateway1.RetrieveResult.found(.init(block, kind: .contentHash, path: [name])))
        let found2 = try reply(Gateway2.RetrieveResult.found(.init(block, kind: .contentHash, times: [3])))
        try check.replies([(asks1[0], try reply(stored1)), (asks2[1], found1)], from: 1)
        try check.replies([(asks2[0], try reply(stored2)), (asks2[1], found2)], from: 2)
        try check.damagedRequests(asks1, from: 1, seed: 1, rounds: 3000)
        try check.damagedRequests(asks2, from: 2, seed: 2, rounds: 3000)
        try check.damagedReplies([(asks2[1], found1)], from: 1, seed: 3, rounds: 3000)
        try check.damagedReplies([(asks2[1], found2)], from: 2, seed: 4, rounds: 3000)
    }
}
