import CFSGeneration1
import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSRing
import NIOCore
import ONCRPC
import Testing

/// Goal: what nodes say to each other is what nodes of 2004 said, byte for byte.
///
/// The bytes were worked out by hand from `chord_types.x`, `chord_prot.x`, `dhash_prot.x`, `merkle_sync_prot.x` and
/// `transport_prot.x`.
struct NodeMessages1Tests {
    private func node(_ port: UInt16 = 10_000, _ number: UInt16 = 0) throws -> ChordNode {
        ChordNode(
            try #require(NodeAddress(ipv4: 0x7F00_0001, port: port, virtualNode: number)),
            coordinates: Coordinates(x: 1, y: -2, height: 3, error: -1))
    }

    /// The node at port 10000.
    private static let nodeBytes = "7f000001 27100000 00000001 fffffffe 00000003 ffffffff"

    @Test("a node is 24 bytes, and its id follows from them")
    func nodes() throws {
        let node = Node1(try node())
        #expect(try XDRWriter.bytes(of: node) == hex(Self.nodeBytes))
        #expect(try XDRReader.readAll(hex(Self.nodeBytes)) == node)
        #expect(node.node.id == (try id(nodeID)))
        // Port 0; a virtual node beyond 1024; nobody's address; everybody's.
        for address in ["7f000001 00000000", "7f000001 27100400", "00000000 27100000", "e0000001 27100000"] {
            #expect(throws: XDRError(.invalid("an address that no node has"), at: 0)) {
                try XDRReader.readAll(hex(address + String(repeating: "00", count: 16)), as: Node1.self)
            }
        }
    }

    @Test("a question is wrapped with who asks whom, and when")
    func question() throws {
        let form = try RequestForm1(.chord(.successor), to: try node())
        #expect(form.arguments == hex(nodeIDBytes))
        let question = Transport1.Question(
            destination: try node(), source: try node(10_001, 2), sendTime: 0x1_0000_0002, program: form.program,
            procedure: form.procedure, arguments: form.arguments)
        let bytes = hex(
            Self.nodeBytes + "7f000001 27110002 00000001 fffffffe 00000003 ffffffff 00000001 00000002 0005417f 00000001"
                + "0000001c" + nodeIDBytes)
        #expect(try XDRWriter.bytes(of: question) == bytes)
        #expect(try XDRReader.readAll(bytes) == question)
        let call = try Transport1.doRPC.call(question, xid: 7).encoded()
        #expect(
            call == hex("00000007 00000000 00000002 00054183 00000001 00000001 00000000 00000000 00000000 00000000")
                + bytes)
    }

    @Test("an answer is wrapped with whose it is and the sender's time; a refusal is a number")
    func answer() throws {
        let results = try ReplyForm1.results(
            .chord(.node(try node())), to: .chord(.predecessor), from: try node(10_001))
        #expect(results == hex("00000000" + Self.nodeBytes))
        let answer = Transport1.Answer.done(source: Node1(try node()), sendTime: 5, results: results)
        let bytes = hex("00000000" + Self.nodeBytes + "00000000 00000005 0000001c 00000000" + Self.nodeBytes)
        #expect(try XDRWriter.bytes(of: answer) == bytes)
        #expect(try XDRReader.readAll(bytes) == answer)
        for status in Transport1.Status.allCases where status != .ok {
            #expect(try XDRWriter.bytes(of: Transport1.Answer.failed(status)) == ByteBuffer(integer: status.rawValue))
        }
        #expect(throws: XDRError.self) { try XDRWriter.bytes(of: Transport1.Answer.failed(.ok)) }
    }

    @Test("the way, stores, offers and trees are written as in 2004")
    func vectors() throws {
        let node = try node()
        func arguments(_ request: RingRequest) throws -> (UInt32, UInt32, ByteBuffer) {
            let form = try RequestForm1(request, to: node)
            return (form.program, form.procedure, form.arguments)
        }
        #expect(
            try arguments(.chord(.testRange(ChordID(1), failed: [ChordID(0x80)])))
                == (344_447, 7, hex("00000004 00000001 00000000 00000000 00000000 00000001 00000004 00000080")))
        #expect(
            try arguments(.chord(.findRoute(ChordID(0), withSuccessors: true))) == (
                344_447, 15, hex("00000000 00000001")
            ))
        #expect(try arguments(.chord(.fingers)) == (344_454, 1, hex(nodeIDBytes)))
        #expect(try arguments(.chord(.ping)) == (344_451, 0, ByteBuffer()))
        let store = StoreRequest(
            key: BlockKey(ChordID(1), .noAuth), purpose: .replica, size: 9, offset: 4, data: [1, 2, 3, 4, 5])
        #expect(
            try arguments(.dhash(.store(store)))
                == (
                    344_449, 1,
                    hex(
                        """
                        00000004 00000001 00000003 00000000 00000005 01020304 05000000 00000004 00000003 00000009 00000000
                        """)
                ))
        let fetch = FetchRequest(
            key: BlockKey(ChordID(1), .contentHash), isFragment: true, start: 1210, length: 500, cookie: -1)
        #expect(
            try arguments(.dhash(.fetch(fetch)))
                == (344_449, 3, hex("00000004 00000001 00000000 00000001 000004ba 000001f4 ffffffff")))
        #expect(try arguments(.dhash(.offer([ChordID(2)]))) == (344_449, 4, hex("00000001 00000004 00000002")))
        // A key of a tree goes with its least significant byte first, the ends of a range do not.
        let tree = MerkleTree([ChordID(0x0102)])
        let key = "02010000 00000000 00000000 00000000 00000000"
        let zeros = "00000000 00000000 00000000 00000000 00000000"
        let hash = tree.hash.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(
            try arguments(
                .merkle(
                    .sendNode(KeyRange(from: ChordID(0), through: ChordID(5)), tree.node(at: 0, prefix: ChordID(0)))))
                == (
                    344_450, 5,
                    hex(
                        "00000000 00000004 00000005 00000000" + zeros + "00000001 00000000 00000001" + hash + "00000001"
                            + key)
                ))
    }

    // All that the ring says.

    private func requests() throws -> [RingRequest] {
        let (node, key) = (try node(), try id(nodeID))
        let tree = MerkleTree((0..<500).map { ChordID(hashing: [UInt8($0 & 255), UInt8($0 >> 8)]) })
        let range = KeyRange(from: key, through: key.previous)
        return [
            .chord(.ping), .chord(.successor), .chord(.predecessor), .chord(.successorList), .chord(.predecessorList),
            .chord(.fingers), .chord(.notify(node)), .chord(.alert(node)),
            .chord(.testRange(key, failed: [key, ChordID(3)])), .chord(.findRoute(key, withSuccessors: false)),
            .dhash(
                .store(
                    StoreRequest(
                        key: BlockKey(key, .contentHash), purpose: .fragment, size: 1500, offset: 1210,
                        data: Array(repeating: 7, count: 290)))),
            .dhash(
                .store(
                    StoreRequest(key: BlockKey(key, .keyHash), purpose: .store, size: 3, offset: 0, data: [1, 2, 3]))),
            .dhash(.store(StoreRequest(key: BlockKey(key, .noAuth), purpose: .cache, size: 0, offset: 0, data: []))),
            .dhash(
                .fetch(FetchRequest(key: BlockKey(key, .keyHash), isFragment: false, start: 0, length: 1210, cookie: 0))
            ),
            .dhash(.offer([key, ChordID(0), ChordID(1)])),
            .merkle(.sendNode(range, tree.node(at: 0, prefix: ChordID(0)))),
            .merkle(.sendNode(range, tree.node(at: 1, prefix: key))), .merkle(.getKeys(range)),
        ]
    }

    private func replies(to request: RingRequest) throws -> [RingReply] {
        let (node, other, key) = (try node(), try node(10_002, 1023), try id(nodeID))
        switch request {
        case .chord(.ping): return [.chord(.done)]
        case .chord(.notify), .chord(.alert): return [.chord(.done), .chord(.failed(.noEntry))]
        case .chord(.successor), .chord(.predecessor):
            return [.chord(.node(node)), .chord(.failed(.noEntry)), .chord(.failed(.unreachable))]
        case .chord(.testRange):
            return [
                .chord(.inRange([node, other])), .chord(.notInRange(other, successors: [node])),
                .chord(.notInRange(other, successors: [])), .chord(.failed(.stopped)),
            ]
        case .chord: return [.chord(.nodes([node, other])), .chord(.nodes([])), .chord(.failed(.unreachable))]
        case .dhash(.store):
            return [
                .dhash(.stored(wasPresent: true, isDone: false)), .dhash(.stored(wasPresent: false, isDone: true)),
                .dhash(.retry(other)), .dhash(.failed(.stale)), .dhash(.failed(.storeNotVerified)),
            ]
        case .dhash(.fetch):
            return [
                .dhash(.piece([1, 2, 3], offset: 1210, size: 1213, cookie: -7)), .dhash(.failed(.noEntry)),
            ]
        case .dhash(.offer): return [.dhash(.offered([.present, .accept, .reject])), .dhash(.failed(.error))]
        case .merkle(.sendNode):
            let tree = MerkleTree((0..<70).map { ChordID(UInt64($0) << 3) })
            return [
                .merkle(.node(tree.node(at: 0, prefix: key))), .merkle(.node(tree.node(at: 27, prefix: key))),
                .merkle(.failed),
            ]
        case .merkle(.getKeys):
            return [
                .merkle(.keys([ChordID(0), key], hasMore: true)), .merkle(.keys([], hasMore: false)), .merkle(.failed),
            ]
        }
    }

    @Test("all that the ring asks and answers has a form in the protocol of 2004, and comes back from it")
    func roundTrips() throws {
        for request in try requests() {
            let form = try RequestForm1(request, to: try node())
            #expect(try form.request == request)
            for reply in try replies(to: request) {
                let results = try ReplyForm1.results(reply, to: request, from: try node())
                #expect(try ReplyForm1.reply(results, to: request) == reply, "to \(request)")
            }
        }
    }

    @Test("a message that ends early, or has bytes behind its end, is refused")
    func drip() throws {
        for request in try requests() {
            let form = try RequestForm1(request, to: try node())
            for count in 0..<form.arguments.readableBytes {
                let part = RequestForm1(
                    program: form.program, procedure: form.procedure,
                    arguments: try #require(form.arguments.getSlice(at: 0, length: count)))
                #expect(throws: MessageFault.self) { try part.request }
            }
            let more = RequestForm1(
                program: form.program, procedure: form.procedure, arguments: form.arguments + hex("00000000"))
            #expect(throws: MessageFault.self) { try more.request }
            for reply in try replies(to: request) {
                let results = try ReplyForm1.results(reply, to: request, from: try node())
                for count in 0..<results.readableBytes {
                    let part = try #require(results.getSlice(at: 0, length: count))
                    #expect(throws: XDRError.self) { try ReplyForm1.reply(part, to: request) }
                }
                #expect(throws: XDRError.self) { try ReplyForm1.reply(results + hex("00000000"), to: request) }
            }
        }
    }

    @Test("garbage is refused or understood, and never more than that")
    func garbage() throws {
        var random = SystemRandomNumberGenerator()
        for request in try requests() {
            let form = try RequestForm1(request, to: try node())
            for _ in 0..<200 {
                var bytes = Array(form.arguments.readableBytesView)
                guard !bytes.isEmpty else { break }
                for _ in 0..<3 {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                let damaged = RequestForm1(
                    program: form.program, procedure: form.procedure, arguments: ByteBuffer(bytes: bytes))
                guard let understood = try? damaged.request else { continue }
                #expect(try RequestForm1(understood, to: try node()).request == understood)
            }
        }
    }

    @Test("what no node answers is told from what makes no sense")
    func refusals() throws {
        func fault(_ program: UInt32, _ procedure: UInt32, _ arguments: String = "") -> MessageFault? {
            do throws(MessageFault) {
                _ = try RequestForm1(program: program, procedure: procedure, arguments: hex(arguments)).request
                return nil
            } catch { return error }
        }
        // Recursive fetches; the retired procedures of chord; another program.
        #expect(fault(344_449, 2) == .noHandler(program: 344_449, procedure: 2))
        #expect(fault(344_447, 3) == .noHandler(program: 344_447, procedure: 3))
        #expect(fault(344_448, 1) == .noHandler(program: 344_448, procedure: 1))
        // A question to a layer above.
        #expect(
            fault(344_447, 7, "00000000 00000001 00000001 00000000 00000000")
                == .noHandler(program: 344_447, procedure: 7))
        // A block that is appended to; a fragment that is said to be a whole block.
        for (kind, part) in [("00000004", "00000000"), ("00000000", "00000000")] {
            let arguments = "00000000" + kind + part + "00000000 00000000 00000002 00000000 00000000"
            #expect(throws: MessageFault.self) {
                _ = try RequestForm1(program: 344_449, procedure: 1, arguments: hex(arguments)).request
            }
        }
    }

    @Test("a part of a merkle tree that no tree has is refused")
    func nonsense() throws {
        let request = RingRequest.merkle(
            .sendNode(KeyRange(from: ChordID(0), through: ChordID(5)), MerkleTree().node(at: 0, prefix: ChordID(0))))
        var arguments = try RequestForm1(request, to: try node()).arguments
        // The level, behind both ends of the range.
        arguments.setInteger(UInt32(28), at: 12)
        #expect(throws: MessageFault.self) {
            try RequestForm1(program: 344_450, procedure: 5, arguments: arguments).request
        }
    }

    @Test("however much is wanted, a piece fits into an answer")
    func pieces() throws {
        let request = FetchRequest(
            key: BlockKey(ChordID(1), .noAuth), isFragment: false, start: 0, length: .max, cookie: 0)
        guard case .dhash(.fetch(let read)) = try RequestForm1(.dhash(.fetch(request)), to: try node()).request else {
            Issue.record("another request")
            return
        }
        #expect(read.length == NodeLimits1.pieceBytesMax)
        let whole = RingReply.dhash(
            .piece(Array(repeating: 1, count: read.length), offset: 0, size: 1 << 20, cookie: 1))
        #expect(
            try ReplyForm1.results(whole, to: .dhash(.fetch(request)), from: try node()).readableBytes
                < NodeLimits1.messageBytesMax)
    }
}
