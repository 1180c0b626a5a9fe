import DequeModule
import NIOCore
import VersionKitModel
import VersionKitProxy
import VersionKitWire

/// Matches the replies on one connection to the requests that were sent, in order.
final class PipelinedRequests<Adapter: MessageAdapter>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Batch {
        var requests: [Adapter.Request]
        var replies: [Adapter.Reply] = []
        var promise: EventLoopPromise<[Adapter.Reply]>

        /// The request whose reply comes next.
        var awaited: Adapter.Request { requests[replies.count] }
        var isAnswered: Bool { replies.count == requests.count }
    }

    private let adapter: Adapter
    private let version: Version
    private let limits: Limits
    private let loop: any EventLoop
    private var context: ChannelHandlerContext?
    private var batches: Deque<Batch> = []
    private var bytes = PeekBuffer()
    private var failure: ProxyError?
    private var lastProgress = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(_ adapter: Adapter, _ version: Version, _ limits: Limits, _ loop: any EventLoop) {
        self.adapter = adapter
        self.version = version
        self.limits = limits
        self.loop = loop
    }

    func ask(_ requests: [Adapter.Request]) -> EventLoopFuture<[Adapter.Reply]> {
        do throws(ProxyError) {
            var worded: [ByteBuffer] = []
            for request in requests { worded.append(try adapter.encode(request, for: version)) }
            return ask(requests, worded: worded)
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    func ask(_ requests: [Adapter.Request], worded: [ByteBuffer]) -> EventLoopFuture<[Adapter.Reply]> {
        guard let context, failure == nil else {
            return loop.makeFailedFuture(failure ?? lost("is not connected"))
        }
        let promise = loop.makePromise(of: [Adapter.Reply].self)
        if batches.isEmpty { lastProgress = .now() }
        batches.append(Batch(requests: requests, promise: promise))
        var out = context.channel.allocator.buffer(capacity: worded.reduce(0) { $0 + $1.readableBytes })
        for buffer in worded { out.writeImmutableBuffer(buffer) }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        if timer == nil { watch(after: .nanoseconds(limits.replyTimeout.nanoseconds)) }
        return promise.futureResult
    }

    private func watch(after delay: TimeAmount) {
        timer = loop.assumeIsolated().scheduleTask(in: delay) {
            self.timer = nil
            guard !self.batches.isEmpty else { return }
            let left = self.lastProgress + .nanoseconds(self.limits.replyTimeout.nanoseconds) - .now()
            if left <= .zero { self.fail(self.lost("did not answer in time")) } else { self.watch(after: left) }
        }
    }

    private func lost(_ what: String) -> ProxyError {
        ProxyError(.noVersion, "version \(version) \(what)", side: .version, isRetrySafe: false)
    }

    private func fail(_ error: ProxyError) {
        guard failure == nil else { return }
        failure = error
        timer?.cancel()
        context?.close(promise: nil)
        let failed = batches
        batches = []
        for batch in failed { batch.promise.fail(error) }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelInactive(context: ChannelHandlerContext) {
        fail(lost("closed the connection"))
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(lost("was lost: \(error)")) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.append(unwrapInboundIn(data))
        lastProgress = .now()
        do throws(ProxyError) {
            // The first batch is changed where it is: with a second reference to it each reply would copy all before it.
            while bytes.count > 0, !batches.isEmpty {
                bytes.resetPeek()
                guard let reply = try adapter.parseReply(&bytes, to: batches[0].awaited, from: version) else {
                    guard bytes.count <= limits.messageBytesMax else {
                        throw .malformedReply("version \(version) sent a reply without end")
                    }
                    return
                }
                bytes.consume(bytes.peekedBytes)
                batches[0].replies.append(reply)
                if batches[0].isAnswered {
                    let done = batches.removeFirst()
                    done.promise.succeed(done.replies)
                }
            }
            if bytes.count > 0 { throw .malformedReply("version \(version) sent bytes that nobody asked for") }
        } catch {
            fail(error)
        }
    }
}
