public import IrisLogCore
public import NIOCore
import NIOPosix

/// A connection on which requests are sent and answered one at a time.
public final class Exchange<Decoder: ReplyDecoder>: Sendable {
    private let channel: any Channel
    private let timeout: TimeAmount

    /// Connects; every request has the time-out for its answer. Without a group the process's own is used.
    public init(
        host: String, port: Int, timeout: Duration, group: (any EventLoopGroup)? = nil
    ) async throws(IrisLogError) {
        let timeout = TimeAmount(timeout)
        self.timeout = timeout
        do {
            channel = try await ClientBootstrap(group: group ?? MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(timeout)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ExchangeHandler<Decoder>())
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            throw IrisLogError(.unreachable, "\(host):\(port) does not answer")
        }
    }

    /// Sends a request and waits for its reply; later calls wait for earlier ones.
    ///
    /// A cancelled task closes the connection: the reply would otherwise belong to the next request.
    public func send(_ request: ByteBuffer, timeout: Duration? = nil) async throws(IrisLogError) -> Decoder.Reply {
        let channel = self.channel
        let promise = channel.eventLoop.makePromise(of: Decoder.Reply.self)
        let job = ExchangeJob(
            request: request, timeout: timeout.map { TimeAmount($0) } ?? self.timeout, promise: promise)
        // A channel that is already closed never shows the job to its handler.
        channel.writeAndFlush(job).whenFailure { _ in
            promise.fail(IrisLogError(.unreachable, "the connection is closed"))
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch let error as IrisLogError {
            throw error
        } catch {
            throw IrisLogError(.unreachable, "the connection failed")
        }
    }

    /// Closes the connection; requests under way fail.
    public func close() async {
        try? await channel.close()
    }

    /// One request on a connection of its own: connecting and waiting share the time-out.
    public static func once(
        _ request: ByteBuffer, host: String, port: Int, timeout: Duration
    ) async throws(IrisLogError) -> Decoder.Reply {
        let end = ContinuousClock.now + timeout
        let exchange = try await Exchange(host: host, port: port, timeout: timeout)
        let result: Result<Decoder.Reply, IrisLogError>
        do throws(IrisLogError) {
            result = .success(try await exchange.send(request, timeout: end - .now))
        } catch {
            result = .failure(error)
        }
        await exchange.close()
        return try result.get()
    }
}

/// A request on its way through the pipeline.
struct ExchangeJob<Reply: Sendable>: Sendable {
    let request: ByteBuffer
    let timeout: TimeAmount
    let promise: EventLoopPromise<Reply>
}

/// Sends one job at a time and gives it the next reply; all state lives on the event loop.
private final class ExchangeHandler<Decoder: ReplyDecoder>: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ExchangeJob<Decoder.Reply>
    typealias OutboundOut = ByteBuffer

    private var decoder = Decoder()
    private var received = ByteBuffer()
    private var waiting = CircularBuffer<ExchangeJob<Decoder.Reply>>()
    private var running: (job: ExchangeJob<Decoder.Reply>, alarm: Scheduled<Void>)?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        waiting.append(unwrapOutboundIn(data))
        promise?.succeed()
        startNext(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        do throws(IrisLogError) {
            while let reply = try decoder.next(&received) {
                guard let (job, alarm) = running else {
                    throw IrisLogError(.unreachable, "a reply that nobody asked for")
                }
                running = nil
                alarm.cancel()
                job.promise.succeed(reply)
                startNext(context)
            }
            received.discardReadBytes()
        } catch {
            // Whoever sends what cannot be read is as good as not there; only a reply can be a refusal.
            fail(context, IrisLogError(.unreachable, "the reply cannot be read: \(error.message)"))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, IrisLogError(.unreachable, "the server closed the connection"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, IrisLogError(.unreachable, "the connection broke"))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(context, IrisLogError(.unreachable, "the connection is closed"))
    }

    private func startNext(_ context: ChannelHandlerContext) {
        guard running == nil, let job = waiting.popFirst() else { return }
        let alarm = context.eventLoop.assumeIsolated().scheduleTask(in: job.timeout) {
            // After this the next reply would belong to the wrong request.
            self.fail(context, IrisLogError(.unreachable, "no answer in time"))
        }
        running = (job, alarm)
        context.writeAndFlush(wrapOutboundOut(job.request), promise: nil)
    }

    private func fail(_ context: ChannelHandlerContext, _ error: IrisLogError) {
        let jobs = [running?.job].compactMap(\.self) + waiting
        running?.alarm.cancel()
        running = nil
        waiting.removeAll()
        for job in jobs { job.promise.fail(error) }
        context.close(promise: nil)
    }
}
