import NIOCore
import ONCRPC

/// The calls of a channel and who waits for them: keeps `RPCWaitingCalls` informed of the time. Lives on an event loop.
final class WaitingCallers<Peer: Hashable & Sendable> {
    typealias ID = RPCWaitingCalls<Peer>.ID

    private struct Caller {
        let promise: EventLoopPromise<RPCReply>
        let token: CallToken
    }

    private(set) var calls: RPCWaitingCalls<Peer>
    private var callers: [ID: Caller] = [:]
    private var alarm: (time: Duration, task: Scheduled<Void>)?
    private var random = SystemRandomNumberGenerator()
    private let send: (ChannelHandlerContext, ByteBuffer, Peer) -> Void

    init(limits: RPCLimits, send: @escaping (ChannelHandlerContext, ByteBuffer, Peer) -> Void) {
        calls = RPCWaitingCalls(limits: limits)
        self.send = send
    }

    func start(_ outgoing: OutgoingCall, to peer: Peer, _ context: ChannelHandlerContext) {
        guard !outgoing.token.isCancelled else { return outgoing.promise.fail(CallFailure(code: .cancelled)) }
        do throws(CallFailure) {
            let started = try calls.start(
                to: peer, patience: outgoing.patience, at: context.eventLoop.elapsed, using: &random
            ) { xid throws(CallFailure) in try Self.message(outgoing, xid) }
            guard let (id, message, deadline) = started else {
                throw CallFailure(code: .tooManyCalls(waiting: calls.count))
            }
            callers[id] = Caller(promise: outgoing.promise, token: outgoing.token)
            send(context, message, peer)
            schedule(deadline, context)
        } catch {
            outgoing.promise.fail(error)
        }
    }

    private static func message(_ outgoing: OutgoingCall, _ xid: UInt32) throws(CallFailure) -> ByteBuffer {
        var call = outgoing.call
        call.xid = xid
        let message: ByteBuffer
        do throws(XDRError) { message = try call.encoded() } catch {
            throw CallFailure(code: .badArguments(error))
        }
        guard message.readableBytes <= outgoing.messageBytesMax else {
            throw CallFailure(code: .tooLarge(bytes: message.readableBytes, max: outgoing.messageBytesMax))
        }
        return message
    }

    func receive(_ reply: RPCReply, from peer: Peer) {
        guard case .reply(let id, let reply) = calls.receive(reply, from: peer) else { return }
        callers.removeValue(forKey: id)?.promise.succeed(reply)
    }

    func cancel(_ token: CallToken) {
        // Rare: no need for a table of its own.
        guard let id = callers.first(where: { $0.value.token === token })?.key else { return }
        calls.cancel(id)
        fail(id, .cancelled)
    }

    func failAll(_ code: RPCError.Code) {
        alarm?.task.cancel()
        alarm = nil
        for id in calls.cancelAll() { fail(id, code) }
    }

    private func fail(_ id: ID, _ code: RPCError.Code) {
        callers.removeValue(forKey: id)?.promise.fail(CallFailure(code: code))
    }

    /// Wakes up at a deadline, unless that is to happen earlier anyway.
    private func schedule(_ time: Duration, _ context: ChannelHandlerContext) {
        if let alarm, alarm.time <= time { return }
        alarm?.task.cancel()
        let wait = TimeAmount(max(time - context.eventLoop.elapsed, .zero))
        let task = context.eventLoop.assumeIsolated().scheduleTask(in: wait) { self.wakeUp(context) }
        alarm = (time, task)
    }

    private func wakeUp(_ context: ChannelHandlerContext) {
        alarm = nil
        let (actions, next) = calls.advance(to: context.eventLoop.elapsed)
        for action in actions {
            switch action {
            case .send(let message, let peer): send(context, message, peer)
            case .giveUp(let id, let attempts): fail(id, .timedOut(attempts: attempts))
            }
        }
        if let next { schedule(next, context) }
    }
}

extension EventLoop {
    /// The loop's time, which nobody can set.
    var elapsed: Duration { .nanoseconds(Int64(clamping: now.uptimeNanoseconds)) }
}
