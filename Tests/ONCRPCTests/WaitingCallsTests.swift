import NIOCore
import ONCRPC
import Testing

/// Goal: a call is sent until its reply comes or patience ends, and a reply that nobody asked for does nothing.
struct WaitingCallsTests {
    private typealias Calls = RPCWaitingCalls<String>

    private static let patience = RPCPatience(
        firstTime: .milliseconds(100), longestTime: .milliseconds(300), attempts: 4)

    private func start(
        _ calls: inout Calls, to peer: String = "a", at now: Duration = .zero, seed: UInt64 = 1, bytes: Int = 4
    ) -> (id: Calls.ID, message: ByteBuffer, deadline: Duration)? {
        var random = Seeded(seed)
        return calls.start(to: peer, patience: Self.patience, at: now, using: &random) { xid in
            var message = ByteBuffer(integer: xid)
            message.writeRepeatingByte(0, count: bytes - 4)
            return message
        }
    }

    @Test("the waits grow, to the longest one")
    func waits() {
        let waits = (1...4).map { Self.patience.wait(afterAttempt: $0) }
        #expect(waits == [.milliseconds(100), .milliseconds(200), .milliseconds(300), .milliseconds(300)])
        #expect(Self.patience.total == .milliseconds(900))
        #expect(RPCPatience.datagrams.total == .milliseconds(15_500))
        #expect(RPCPatience.once(.seconds(3)).total == .seconds(3))
        #expect(RPCPatience(firstTime: .seconds(9), attempts: 1).total == .seconds(8))
    }

    @Test("a call without a reply is sent again with the same number, later each time, and then given up")
    func givenUp() throws {
        var calls = Calls()
        let (id, message, deadline) = try #require(start(&calls))
        #expect(message == ByteBuffer(integer: id.xid) && deadline == .milliseconds(100))
        var sent: [Duration] = []
        var next: Duration? = deadline
        while let now = next {
            let (actions, later) = calls.advance(to: now)
            next = later
            if later == nil {
                #expect(actions == [.giveUp(id, attempts: 4)])
            } else {
                #expect(actions == [.send(message, to: "a")])
                sent.append(now)
            }
        }
        #expect(sent == [.milliseconds(100), .milliseconds(300), .milliseconds(600)])
        #expect(calls.count == 0 && calls.bytes == 0)
        #expect(calls.counters.resent == 3 && calls.counters.timedOut == 1)
        #expect(calls.receive(RPCReply(xid: id.xid, .systemError), from: "a") == .duplicate)
    }

    @Test("nothing is sent before its time")
    func early() throws {
        var calls = Calls()
        _ = try #require(start(&calls))
        let (actions, next) = calls.advance(to: .milliseconds(99))
        #expect(actions.isEmpty && next == .milliseconds(100))
    }

    @Test("whoever is late sends once, not as often as it would have been time")
    func late() throws {
        var calls = Calls()
        let (_, message, _) = try #require(start(&calls))
        let (actions, next) = calls.advance(to: .seconds(10))
        #expect(actions == [.send(message, to: "a")] && next == .milliseconds(10_200))
    }

    @Test("a reply ends its call, once")
    func replied() throws {
        var calls = Calls()
        let (id, _, _) = try #require(start(&calls))
        let reply = RPCReply(xid: id.xid, .success(hex("00000001")))
        #expect(calls.receive(reply, from: "a") == .reply(id, reply))
        #expect(calls.receive(reply, from: "a") == .duplicate)
        #expect(calls.advance(to: .seconds(100)).next == nil)
        #expect(calls.counters.duplicateReplies == 1 && calls.counters.unknownReplies == 0)
    }

    @Test("replies to requests never made are counted and ignored")
    func unknown() throws {
        var calls = Calls()
        let (id, _, _) = try #require(start(&calls))
        #expect(calls.receive(RPCReply(xid: id.xid &+ 1, .systemError), from: "a") == .unknown)
        // The right number, from somebody who was not asked.
        #expect(calls.receive(RPCReply(xid: id.xid, .systemError), from: "b") == .unknown)
        #expect(calls.counters.unknownReplies == 2 && calls.count == 1)
    }

    @Test("a call that was cancelled is not sent again, and its reply is late")
    func cancelled() throws {
        var calls = Calls()
        let (id, _, deadline) = try #require(start(&calls))
        #expect(calls.cancel(id) && !calls.cancel(id))
        #expect(calls.advance(to: deadline).actions.isEmpty)
        #expect(calls.receive(RPCReply(xid: id.xid, .systemError), from: "a") == .duplicate)
    }

    @Test("no more calls wait than may, nor more bytes")
    func limits() throws {
        var limits = RPCLimits()
        limits.waitingCallsMax = 2
        limits.waitingBytesMax = 20
        var calls = Calls(limits: limits)
        let (first, _, _) = try #require(start(&calls, seed: 1, bytes: 8))
        #expect(start(&calls, seed: 2, bytes: 16) == nil)
        #expect(calls.bytes == 8 && calls.count == 1)
        _ = try #require(start(&calls, seed: 3, bytes: 12))
        #expect(start(&calls, seed: 4) == nil)
        calls.cancel(first)
        _ = try #require(start(&calls, seed: 5))
        #expect(Set(calls.cancelAll().map(\.xid)).count == 2 && calls.bytes == 0)
    }

    @Test("no two calls to a server have the same number, even if chance says so")
    func numbers() throws {
        var calls = Calls()
        let first = try #require(start(&calls, seed: 7)).id
        let second = try #require(start(&calls, seed: 7)).id
        #expect(first != second)
        calls.cancel(second)
        let third = try #require(start(&calls, seed: 7)).id
        #expect(third != first && third != second)
    }

    @Test("of calls that ended no more is remembered than may be")
    func forgotten() throws {
        var calls = Calls()
        var random = Seeded(3)
        var ids: [Calls.ID] = []
        for _ in 0...Calls.rememberedMax {
            let started = calls.start(to: "a", patience: Self.patience, at: .zero, using: &random) {
                ByteBuffer(integer: $0)
            }
            ids.append(try #require(started).id)
            calls.cancel(ids[ids.count - 1])
        }
        #expect(calls.receive(RPCReply(xid: ids[0].xid, .systemError), from: "a") == .unknown)
        #expect(calls.receive(RPCReply(xid: ids[1].xid, .systemError), from: "a") == .duplicate)
    }

    @Test(
        "an error says whose fault it is, and whether to try again is safe",
        arguments: [
            (.unreachable("x"), .network, true), (.tooManyCalls(waiting: 1), .client, true),
            (.timedOut(attempts: 4), .network, false), (.disconnected("x"), .network, false),
            (.cancelled, .client, false), (.refused(.programUnavailable), .server, true),
            (.refused(.garbageArguments), .client, true), (.refused(.systemError), .server, false),
            (.badResults(XDRError(.padding, at: 0)), .server, false), (.tooLarge(bytes: 2, max: 1), .client, true),
        ] as [(RPCError.Code, RPCError.Side, Bool)])
    func errors(code: RPCError.Code, side: RPCError.Side, isRetrySafe: Bool) {
        let error = Counting.add.error(code)
        #expect(error.side == side && error.isRetrySafe == isRetrySafe)
        // A procedure that may be repeated may be repeated whatever happened.
        #expect(Counting.total.error(code).isRetrySafe)
        #expect(error.description.hasPrefix("ADD: "))
    }
}
