import NIOCore
import ONCRPC
import Testing

/// Goal: a call is carried out once, its answer is the RFC's, and what a server remembers is bounded.
struct ServiceTests {
    private typealias Service = RPCDatagramService<String>

    private func service(_ counter: Counter, limits: RPCLimits = .standard) -> Service {
        Service(RPCDispatcher([Counter.service(counter)]), limits: limits)
    }

    private func call(_ xid: UInt32, _ number: Int64) throws -> RPCCall { try Counting.add.call(number, xid: xid) }

    /// Takes and carries out a call that has to be new; returns what is sent.
    private func carryOut(
        _ service: inout Service, _ call: RPCCall, from peer: String = "a", at now: Duration = .zero
    ) async throws -> ByteBuffer {
        guard case .run(let job, let ticket) = service.receive(call, from: peer, at: now) else {
            throw CallWasNotNew()
        }
        return service.finish(ticket, with: await job.run(), at: now)
    }

    private struct CallWasNotNew: Error {}

    private func reply(_ xid: UInt32, _ number: Int64) throws -> ByteBuffer {
        try RPCReply(xid: xid, .success(XDRWriter.bytes(of: number))).encoded()
    }

    @Test("calls that no procedure is for get the RFC's answers")
    func standardErrors() throws {
        var other = RPCService(RPCProgram(Counting.program.number, version: 5, name: "counting"))
        other.on(RPCProcedure<Bool, Bool>(other.program, 9, "NOT")) { value, _ in !value }
        let dispatcher = RPCDispatcher([Counter.service(Counter()), other])
        func outcome(_ change: (inout RPCCall) -> Void) throws -> RPCReply.Outcome? {
            var call = try call(1, 2)
            change(&call)
            guard case .answer(let reply) = dispatcher.decide(call) else { return nil }
            #expect(reply.xid == 1)
            return reply.outcome
        }
        #expect(try outcome { $0.program += 1 } == .programUnavailable)
        #expect(try outcome { $0.version = 4 } == .programMismatch(low: 3, high: 5))
        #expect(try outcome { $0.procedure = 77 } == .procedureUnavailable)
        #expect(try outcome { $0.arguments = hex("00000001") } == .garbageArguments)
        #expect(try outcome { $0.arguments.writeInteger(0) } == .garbageArguments)
        #expect(try outcome { ($0.version, $0.procedure, $0.arguments) = (5, 9, hex("00000002")) } == .garbageArguments)
        #expect(try outcome { _ in } == nil)
        // Every program has procedure 0, which takes nothing.
        #expect(try outcome { $0.procedure = 0 } == .garbageArguments)
        #expect(try outcome { ($0.procedure, $0.arguments) = (0, ByteBuffer()) } == nil)
    }

    @Test(
        "a procedure refuses in the words of RPC",
        arguments: [
            (.procedureUnavailable, .procedureUnavailable), (.garbageArguments, .garbageArguments),
            (.systemError, .systemError), (.authenticationError(.tooWeak), .authenticationError(.tooWeak)),
        ] as [(RPCRefusal, RPCReply.Outcome)])
    func refusals(refusal: RPCRefusal, outcome: RPCReply.Outcome) async throws {
        var service = RPCService(Counting.program)
        service.on(Counting.add) { _, _ throws(RPCRefusal) in throw refusal }
        guard case .run(let job) = RPCDispatcher([service]).decide(try call(8, 1)) else {
            Issue.record("nothing to carry out")
            return
        }
        #expect(await job.run() == RPCReply(xid: 8, outcome))
    }

    @Test("results that the protocol does not allow are an error of the server's")
    func badResults() async throws {
        struct Word: XDRCodable {
            var text: String
            init(_ text: String) { self.text = text }
            init(from reader: inout XDRReader) throws(XDRError) { text = try reader.readString(max: 3) }
            func write(to writer: inout XDRWriter) throws(XDRError) { try writer.writeString(text, max: 3) }
        }
        let procedure = RPCProcedure<XDRVoid, Word>(Counting.program, 1, "WORD")
        var service = RPCService(Counting.program)
        service.on(procedure) { _, _ in Word("four") }
        guard case .run(let job) = RPCDispatcher([service]).decide(try procedure.call(XDRVoid())) else {
            Issue.record("nothing to carry out")
            return
        }
        #expect(await job.run().outcome == .systemError)
    }

    @Test("a replayed datagram is answered from memory, and not carried out again")
    func replayed() async throws {
        let counter = Counter()
        var service = service(counter)
        let first = try await carryOut(&service, call(1, 5))
        #expect(first == (try reply(1, 5)))
        guard case .send(let again) = service.receive(try call(1, 5), from: "a", at: .seconds(119)) else {
            Issue.record("not answered from memory")
            return
        }
        #expect(again == first)
        #expect(await counter.total == 5)
        #expect(service.counters.carriedOut == 1 && service.counters.replayed == 1)
    }

    @Test("the same number of somebody else, or of another call, is another call")
    func others() async throws {
        let counter = Counter()
        var service = service(counter)
        _ = try await carryOut(&service, call(1, 5))
        #expect(try await carryOut(&service, call(1, 5), from: "b") == (try reply(1, 10)))
        #expect(try await carryOut(&service, call(1, 6)) == (try reply(1, 16)))
    }

    @Test("what is being carried out is dropped when it comes again")
    func inProgress() async throws {
        var service = service(Counter())
        guard case .run(let job, let ticket) = service.receive(try call(1, 5), from: "a", at: .zero) else {
            Issue.record("not carried out")
            return
        }
        guard case .none = service.receive(try call(1, 5), from: "a", at: .seconds(1000)) else {
            Issue.record("not dropped")
            return
        }
        #expect(service.counters.duplicates == 1)
        _ = service.finish(ticket, with: await job.run(), at: .seconds(1000))
        #expect(service.inProgressCount == 0)
    }

    @Test("a server that has enough to do drops calls, and takes them when they come again")
    func busy() async throws {
        var limits = RPCLimits()
        limits.servedCallsMax = 1
        var service = service(Counter(), limits: limits)
        guard case .run(let job, let ticket) = service.receive(try call(1, 5), from: "a", at: .zero) else {
            Issue.record("not carried out")
            return
        }
        guard case .none = service.receive(try call(2, 5), from: "a", at: .zero) else {
            Issue.record("not dropped")
            return
        }
        #expect(service.counters.busy == 1)
        _ = service.finish(ticket, with: await job.run(), at: .zero)
        #expect(try await carryOut(&service, call(2, 5)) == (try reply(2, 10)))
    }

    @Test("a reply too long for a datagram is an error of the server's")
    func tooLarge() async throws {
        var limits = RPCLimits()
        limits.datagramBytesMax = 31
        var service = service(Counter(), limits: limits)
        #expect(try await carryOut(&service, call(1, 5)) == RPCReply(xid: 1, .systemError).encoded())
        #expect(service.counters.tooLarge == 1)
    }

    @Test("replies are forgotten after their time, and the oldest when there are too many or too long ones")
    func forgotten() throws {
        var limits = RPCLimits()
        limits.rememberedRepliesMax = 3
        limits.rememberedBytesMax = 100
        limits.rememberedTime = .seconds(10)
        var memory = RPCReplyMemory<Int>(limits: limits)
        func isKnown(_ xid: UInt32, at now: Duration) throws -> Bool {
            var copy = memory
            switch copy.receive(try call(xid, 0), from: 0, at: now) {
            case .answered: return true
            case .new: return false
            case .inProgress, .busy: throw CallWasNotNew()
            }
        }
        func answer(_ xid: UInt32, bytes: Int, at now: Duration) throws {
            guard case .new(let key) = memory.receive(try call(xid, 0), from: 0, at: now) else { throw CallWasNotNew() }
            memory.finish(key, with: ByteBuffer(repeating: 0, count: bytes), at: now)
            #expect(memory.count <= 3 && memory.bytes <= 100)
        }
        for xid in 1...4 as ClosedRange<UInt32> { try answer(xid, bytes: 20, at: .seconds(Int(xid))) }
        #expect(try (1...4).map { try isKnown($0, at: .seconds(5)) } == [false, true, true, true])
        #expect(try (2...4).map { try isKnown($0, at: .seconds(13)) } == [false, false, true])
        try answer(5, bytes: 81, at: .seconds(6))
        #expect(try (2...5).map { try isKnown($0, at: .seconds(6)) } == [false, false, false, true])
        try answer(6, bytes: 101, at: .seconds(6))
        #expect(try isKnown(5, at: .seconds(6)) && !isKnown(6, at: .seconds(6)))
        #expect(memory.inProgressCount == 0)
    }
}
