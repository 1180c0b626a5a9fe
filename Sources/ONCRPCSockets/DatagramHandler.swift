import NIOCore
import ONCRPC

/// A call that came by UDP and is to be carried out.
struct ReceivedCall: Sendable {
    let job: RPCJob
    let ticket: RPCDatagramService<SocketAddress>.Ticket
    let caller: SocketAddress
}

/// What came of it.
struct FinishedCall: Sendable {
    let received: ReceivedCall
    let reply: RPCReply
}

/// Asks a handler for its counters.
struct CountersQuestion: Sendable {
    let promise: EventLoopPromise<RPCDatagramCounters>
}

/// What is written to the pipeline of a UDP socket.
enum DatagramOrder {
    case call(OutgoingCall)
    case finish(FinishedCall)

    init?(_ written: Any) {
        switch written {
        case let call as OutgoingCall: self = .call(call)
        case let finished as FinishedCall: self = .finish(finished)
        default: return nil
        }
    }
}

/// The two state machines of a UDP socket, server and client, with the socket. All on its event loop.
final class DatagramHandler: ChannelDuplexHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundIn = Any
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private var service: RPCDatagramService<SocketAddress>
    private let callers: WaitingCallers<SocketAddress>
    private let jobs: AsyncStream<ReceivedCall>.Continuation
    private let counts = DatagramCounts()

    init(_ dispatcher: RPCDispatcher, limits: RPCLimits, jobs: AsyncStream<ReceivedCall>.Continuation) {
        service = RPCDatagramService(dispatcher, limits: limits)
        self.jobs = jobs
        let counts = counts
        callers = WaitingCallers(limits: limits) { Self.send($1, to: $2, $0, counts) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let datagram = unwrapInboundIn(data)
        // What is kept of a message must not keep the buffer, which is made for the longest one.
        let bytes = context.channel.allocator.buffer(buffer: datagram.data)
        let peer = datagram.remoteAddress
        do throws(XDRError) {
            switch try RPCMessage(bytes) {
            case .reply(let reply): callers.receive(reply, from: peer)
            case .refused(let reply): perform(service.refuse(reply), peer, context)
            case .call(let call):
                perform(service.receive(call, from: peer, at: context.eventLoop.elapsed), peer, context)
            }
        } catch {
            counts.garbage += 1
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch DatagramOrder(unwrapOutboundIn(data)) {
        case .call(let outgoing):
            promise?.succeed()
            guard let peer = outgoing.peer else { preconditionFailure("a call by UDP without a server") }
            callers.start(outgoing, to: peer, context)
        case .finish(let finished):
            promise?.succeed()
            let received = finished.received
            let message = service.finish(received.ticket, with: finished.reply, at: context.eventLoop.elapsed)
            Self.send(message, to: received.caller, context, counts)
        case nil: preconditionFailure("neither a call nor a reply")
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case let token as CallToken:
            callers.cancel(token)
            promise?.succeed()
        case let question as CountersQuestion:
            question.promise.succeed(
                RPCDatagramCounters(
                    client: callers.calls.counters, service: service.counters, garbage: counts.garbage,
                    dropped: counts.dropped))
            promise?.succeed()
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    /// A socket tells of errors of single datagrams, as of one that found nobody; only its end is an end.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    func channelInactive(context: ChannelHandlerContext) { end("the socket was closed") }

    func handlerRemoved(context: ChannelHandlerContext) { end("the socket was closed") }

    private func end(_ why: String) {
        callers.failAll(.disconnected(why))
        jobs.finish()
    }

    private func perform(
        _ action: RPCDatagramService<SocketAddress>.Action, _ peer: SocketAddress, _ context: ChannelHandlerContext
    ) {
        switch action {
        case .none: break
        case .send(let message): Self.send(message, to: peer, context, counts)
        case .run(let job, let ticket): jobs.yield(ReceivedCall(job: job, ticket: ticket, caller: peer))
        }
    }

    private static func send(
        _ message: ByteBuffer, to peer: SocketAddress, _ context: ChannelHandlerContext, _ counts: DatagramCounts
    ) {
        // What the socket does not take would lie in memory; UDP may lose it as well.
        guard context.channel.isWritable else {
            counts.dropped += 1
            return
        }
        context.writeAndFlush(NIOAny(AddressedEnvelope(remoteAddress: peer, data: message)), promise: nil)
    }
}

/// What is counted in several places of an event loop.
private final class DatagramCounts {
    var garbage = 0
    var dropped = 0
}
