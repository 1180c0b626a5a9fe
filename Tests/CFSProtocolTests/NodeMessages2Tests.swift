import CFSGeneration1
import CFSGeneration2
import CFSModel
import CFSProtocol
import CFSProtocol2
import CFSRing
import NIOCore
import ONCRPC
import Testing

/// Goal: what nodes of generation 2 say is in the forms of 2008, where there is one.
///
/// The bytes were worked out by hand from `chord_types.x`, `recroute_prot.x`, `dhash_prot.x` and `merkle_sync_prot.x` of 2008.
struct NodeMessages2Tests {
    private func node(_ port: UInt16 = 10_000, _ number: UInt16 = 0) throws -> ChordNode {
        ChordNode(
            try #require(NodeAddress(ipv4: 0x7F00_0001, port: port, virtualNode: number)),
            coordinates: Coordinates(x: 1, y: -2, height: 3, error: -1))
    }

    /// The node at port 10000.
    private static let nodeBytes = "7f000001 27100000 00000001 fffffffe 00000003 ffffffff 00000000 00000000 00000000"

    @Test("a node is 36 bytes, and its id follows from them")
    func nodes() throws {
        let node = Node2(try node())
        #expect(try XDRWriter.bytes(of: node) == hex(Self.nodeBytes))
        #expect(try XDRReader.readAll(hex(Self.nodeBytes)) == node)
        #expect(node.node.id == (try id(nodeID)))
        // Port 0; a virtual node beyond 1024; nobody's address; everybody's.
        for address in ["7f000001 00000000", "7f000001 27100400", "00000000 27100000", "e0000001 27100000"] {
            #expect(throws: XDRError(.invalid("an address that no node has"), at: 0)) {
                try XDRReader.readAll(hex(address + String(repeating: "00", count: 28)), as: Node2.self)
            }
        }
    }

    @Test("questions on their way, stores and trees are written as in 2008, with times, numbers and kinds")
    func vectors() throws {
        let node = try node()
        func arguments(_ request: RingRequest) throws -> (UInt32, UInt32, ByteBuffer) {
            let form = try RequestForm2(request, to: try self.node(10_000, 3))
            return (form.program, form.procedure, form.arguments)
        }
        let route = Route(number: 7, origin: node, target: ChordID(1), wanted: 16, retries: 2, path: [node])
        #expect(
            try arguments(.chord(.route(route)))
                == (
                    344_460, 1,
                    hex(
                        "00000007" + Self.nodeBytes
                            + "00000004 00000001 00000010 00000000 00000000 00000000 00000002 00000001"
                            + Self.nodeBytes)
                ))
        let end = RouteEnd(number: 7, path: [], retries: 0, successors: [node])
        #expect(
            try arguments(.chord(.routeEnd(end)))
                == (344_460, 2, hex("00000007 00000000 00000000 00000000 00000001" + Self.nodeBytes)))
        let store = StoreRequest(
            key: BlockKey(ChordID(1), .noAuth), purpose: .replica, size: 9, offset: 4, data: [1, 2, 3, 4, 5],
            expiration: 0x4A00_0000)
        #expect(
            try arguments(.dhash(.store(store)))
                == (
                    344_449, 1,
                    hex(
                        """
                        00000004 00000001 00000002 00000005 01020304 05000000 00000004 00000003 00000009 4a000000 00000000
                        """)
                ))
        #expect(
            try arguments(.merkle(.getKeys(KeyRange(from: ChordID(0), through: ChordID(5)))))
                == (344_450, 6, hex("00000003 00000000 00000000 00000004 00000005")))
        let results = try ReplyForm2.results(
            .merkle(.keys([ChordID(2)], hasMore: false)),
            to: .merkle(.getKeys(KeyRange(from: ChordID(0), through: ChordID(5)))), from: node)
        #expect(results == hex("00000000 00000001 00000004 00000002 00000000"))
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
            .chord(
                .route(Route(number: 1, origin: node, target: key, wanted: 0, retries: 3, path: [node, node]))),
            .chord(.routeEnd(RouteEnd(number: 9, path: [node], retries: 1, successors: [node]))),
            .chord(.routeEnd(RouteEnd(number: 9, path: [], retries: 0, successors: nil))),
            .dhash(
                .store(
                    StoreRequest(
                        key: BlockKey(key, .contentHash), purpose: .fragment, size: 1500, offset: 1210,
                        data: Array(repeating: 7, count: 290)))),
            .dhash(
                .store(
                    StoreRequest(
                        key: BlockKey(key, .keyHash), purpose: .store, size: 3, offset: 0, data: [1, 2, 3],
                        expiration: 5))),
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
        case .chord(.ping), .chord(.routeEnd): return [.chord(.done)]
        case .chord(.route): return [.chord(.done), .chord(.failed(.unreachable))]
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
                .dhash(.piece([1, 2, 3], offset: 1210, size: 1213, cookie: -7, expiration: 9)),
                .dhash(.failed(.noEntry)),
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

    @Test("all that the ring asks and answers has a form in the protocol of generation 2, and comes back from it")
    func roundTrips() throws {
        for request in try requests() {
            let form = try RequestForm2(request, to: try node())
            #expect(try form.request == request)
            for reply in try replies(to: request) {
                let results = try ReplyForm2.results(reply, to: request, from: try node())
                #expect(try ReplyForm2.reply(results, to: request) == reply, "to \(request)")
            }
        }
    }

    @Test("a message that ends early, or has bytes behind its end, is refused")
    func drip() throws {
        for request in try requests() {
            let form = try RequestForm2(request, to: try node())
            for count in 0..<form.arguments.readableBytes {
                let part = RequestForm2(
                    program: form.program, procedure: form.procedure,
                    arguments: try #require(form.arguments.getSlice(at: 0, length: count)))
                #expect(throws: MessageFault.self) { try part.request }
            }
            let more = RequestForm2(
                program: form.program, procedure: form.procedure, arguments: form.arguments + hex("00000000"))
            #expect(throws: MessageFault.self) { try more.request }
            for reply in try replies(to: request) {
                let results = try ReplyForm2.results(reply, to: request, from: try node())
                for count in 0..<results.readableBytes {
                    let part = try #require(results.getSlice(at: 0, length: count))
                    #expect(throws: XDRError.self) { try ReplyForm2.reply(part, to: request) }
                }
                #expect(throws: XDRError.self) { try ReplyForm2.reply(results + hex("00000000"), to: request) }
            }
        }
    }

    @Test("garbage is refused or understood, and never more than that")
    func garbage() throws {
        var random = SystemRandomNumberGenerator()
        for request in try requests() {
            let form = try RequestForm2(request, to: try node())
            for _ in 0..<200 {
                var bytes = Array(form.arguments.readableBytesView)
                guard !bytes.isEmpty else { break }
                for _ in 0..<3 {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                let damaged = RequestForm2(
                    program: form.program, procedure: form.procedure, arguments: ByteBuffer(bytes: bytes))
                guard let understood = try? damaged.request else { continue }
                #expect(try RequestForm2(understood, to: try node()).request == understood)
            }
        }
    }

    @Test("what no node answers is told from what makes no sense")
    func refusals() throws {
        func fault(_ program: UInt32, _ procedure: UInt32, _ arguments: ByteBuffer = ByteBuffer()) -> MessageFault? {
            do throws(MessageFault) {
                _ = try RequestForm2(program: program, procedure: procedure, arguments: arguments).request
                return nil
            } catch { return error }
        }
        // Recursive fetches, calls back with blocks; the last step of a way; another program.
        for (program, procedure) in [(344_449, 2), (344_449, 5), (344_460, 3), (344_448, 1)] as [(UInt32, UInt32)] {
            #expect(fault(program, procedure) == .noHandler(program: program, procedure: procedure))
        }
        let key = hex("00000000")
        // A block that is appended to; "I lack it", which gives nothing to keep; a tree of whole blocks.
        #expect(fault(344_449, 1, key + hex("00000003 00000000 00000000 00000002 00000000 00000000 00000000")) != nil)
        #expect(fault(344_449, 1, key + hex("00000000 00000000 00000000 00000004 00000000 00000000 00000000")) != nil)
        #expect(fault(344_450, 6, hex("00000000 00000001 00000000 00000000")) != nil)
        #expect(fault(344_450, 6, hex("00000000 00000000 00000000 00000000")) == nil)
        // An end of a kind that there is not; a way longer than any.
        #expect(fault(344_460, 2, hex("00000001 00000000 00000000 00000002")) != nil)
        #expect(fault(344_460, 2, hex("00000001 ffffffff")) != nil)
        // A question to a layer above.
        let upcall = hex("00000007" + Self.nodeBytes + "00000000 00000000 00000001 00000001 00000000 00000000 00000000")
        #expect(fault(344_460, 1, upcall) == .noHandler(program: 344_460, procedure: 1))
    }

    @Test("a part of a merkle tree that no tree has is refused")
    func nonsense() throws {
        let request = RingRequest.merkle(
            .sendNode(KeyRange(from: ChordID(0), through: ChordID(5)), MerkleTree().node(at: 0, prefix: ChordID(0))))
        var arguments = try RequestForm2(request, to: try node()).arguments
        // The level, behind number, kind and both ends of the range.
        arguments.setInteger(UInt32(28), at: 20)
        #expect(throws: MessageFault.self) {
            try RequestForm2(program: 344_450, procedure: 5, arguments: arguments).request
        }
    }

    @Test("however much is wanted, a piece fits into an answer")
    func pieces() throws {
        let request = FetchRequest(
            key: BlockKey(ChordID(1), .noAuth), isFragment: false, start: 0, length: .max, cookie: 0)
        guard case .dhash(.fetch(let read)) = try RequestForm2(.dhash(.fetch(request)), to: try node()).request else {
            Issue.record("another request")
            return
        }
        #expect(read.length == NodeLimits.pieceBytesMax)
        let whole = RingReply.dhash(
            .piece(Array(repeating: 1, count: read.length), offset: 0, size: 1 << 20, cookie: 1))
        #expect(
            try ReplyForm2.results(whole, to: .dhash(.fetch(request)), from: try node()).readableBytes
                < NodeLimits.messageBytesMax)
    }
}
