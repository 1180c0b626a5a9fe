import NIOCore
import ONCRPC
import Testing

/// Goal: over a network that loses, delays, repeats and damages datagrams, every call that has a result was carried out
/// once, and none more often.
///
/// Method: the state machines of client and server with one ordered queue of events between them, from a seed.
struct LossyNetworkTests {
    private enum Event {
        case toServer(ByteBuffer)
        case toClient(ByteBuffer)
        case done(RPCDatagramService<Int>.Ticket, RPCReply)
        case clock
    }

    /// How often each number was added.
    private actor Tally {
        private(set) var times: [Int64: Int] = [:]

        func add(_ number: Int64) -> Int64 {
            times[number, default: 0] += 1
            return -number
        }
    }

    private struct World {
        var random: Seeded
        var now = Duration.zero
        var events: [(time: Duration, event: Event)] = []
        var client = RPCWaitingCalls<Int>()
        var service: RPCDatagramService<Int>
        var replies: [UInt32: RPCReply] = [:]
        var givenUp = 0

        init(seed: UInt64, tally: Tally) {
            random = Seeded(seed)
            var service = RPCService(Counting.program)
            service.on(Counting.add) { number, _ in await tally.add(number) }
            self.service = RPCDatagramService(RPCDispatcher([service]))
        }

        mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

        mutating func wait(to milliseconds: UInt64) -> Duration {
            now + .milliseconds(Int64(random.next() % milliseconds))
        }

        mutating func at(_ time: Duration, _ event: Event) {
            let index = events.firstIndex { $0.time > time } ?? events.endIndex
            events.insert((time, event), at: index)
        }

        /// To the server: nothing is damaged but what kind of message it is, for a call with another number is another
        /// call for everybody.
        mutating func sendCall(_ message: ByteBuffer) {
            for _ in 0..<(chance(20) ? 3 : 1) where !chance(30) {
                var message = message
                if chance(5) { message.setInteger(UInt8(1 + random.next() % 255), at: 4 + Int(random.next() % 4)) }
                at(wait(to: 900), .toServer(message))
            }
        }

        mutating func sendReply(_ message: ByteBuffer) {
            for _ in 0..<(chance(20) ? 3 : 1) where !chance(30) {
                var message = message
                if chance(5) {
                    message.setInteger(UInt8(truncatingIfNeeded: random.next()), at: Int(random.next() % 24))
                }
                at(wait(to: 900), .toClient(message))
            }
        }

        mutating func start(_ number: Int64) throws -> UInt32? {
            let call = try Counting.add.call(number)
            let started = try client.start(to: 0, patience: .datagrams, at: .zero, using: &random) { xid in
                var call = call
                call.xid = xid
                return try call.encoded()
            }
            if let started { sendCall(started.message) }
            return started?.id.xid
        }

        mutating func handle(_ event: Event) async {
            switch event {
            case .toServer(let bytes):
                guard case .call(let call) = try? RPCMessage(bytes) else { return }
                switch service.receive(call, from: 7, at: now) {
                case .none: break
                case .send(let reply): sendReply(reply)
                case .run(let job, let ticket): at(wait(to: 300), .done(ticket, await job.run()))
                }
            case .done(let ticket, let reply): sendReply(service.finish(ticket, with: reply, at: now))
            case .toClient(let bytes):
                guard case .reply(let reply) = try? RPCMessage(bytes),
                    case .reply(let id, let reply) = client.receive(reply, from: 0)
                else { return }
                replies[id.xid] = reply
            case .clock:
                let (actions, next) = client.advance(to: now)
                for action in actions {
                    switch action {
                    case .send(let message, _): sendCall(message)
                    case .giveUp: givenUp += 1
                    }
                }
                if let next { at(next, .clock) }
            }
        }
    }

    @Test("what has a result was carried out once, whatever the network does", arguments: 1...40 as ClosedRange<UInt64>)
    func carriedOutOnce(seed: UInt64) async throws {
        let tally = Tally()
        var world = World(seed: seed, tally: tally)
        var numbers: [UInt32: Int64] = [:]
        for number in 1...40 as ClosedRange<Int64> { numbers[try #require(try world.start(number))] = number }
        world.at(.milliseconds(500), .clock)
        while !world.events.isEmpty {
            let (time, event) = world.events.removeFirst()
            world.now = time
            await world.handle(event)
        }
        #expect(world.client.count == 0 && world.service.inProgressCount == 0)
        #expect(world.replies.count + world.givenUp == 40)
        let times = await tally.times
        #expect(times.allSatisfy { $0.value == 1 })
        for (xid, reply) in world.replies {
            let number = try #require(numbers[xid])
            // A damaged reply may say anything but a result that fits.
            guard case .success(let bytes) = reply.outcome, bytes.readableBytes == 8 else { continue }
            #expect(try Counting.add.results(from: bytes) == -number && times[number] == 1)
        }
        #expect(world.service.counters.replayed > 0 && world.client.counters.duplicateReplies > 0)
    }
}
