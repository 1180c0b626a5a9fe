import NIOCore
import ONCRPC

/// Makes records of a stream's bytes, and bytes of messages. A stream that is none, or whose records come too slowly, is an
/// error for the handlers behind, and goes no further.
///
/// It may hold back what comes until there are handlers behind it: a channel that nobody asked to read does so when its
/// peer says that nothing more comes. That is no more than what the kernel had taken by then.
final class RecordHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var reader: RecordReader
    private let recordTime: Duration
    private var alarm: Scheduled<Void>?
    private var isBroken = false
    /// `nil`: nothing is held back.
    private var held: [Event]?

    private enum Event {
        case record(ByteBuffer)
        case error(RecordError)
        case inputClosed
    }

    init(limits: RPCLimits, holdsBack: Bool = false) {
        reader = RecordReader(limits: limits)
        recordTime = limits.recordTime
        held = holdsBack ? [] : nil
    }

    /// There are handlers behind this one now.
    func release(_ context: ChannelHandlerContext) {
        let events = held ?? []
        held = nil
        for event in events { deliver(event, context) }
        context.fireChannelReadComplete()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        reader.append(unwrapInboundIn(data))
        do throws(RecordError) {
            while let record = try reader.next() {
                disarm()
                deliver(.record(record), context)
            }
            if reader.isWithinRecord { arm(context) }
        } catch {
            fail(context, error)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(wrapOutboundOut(RecordMarking.record(unwrapOutboundIn(data))), promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Whoever sends nothing more may still wait for replies.
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        end(context)
        deliver(.inputClosed, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { disarm() }

    /// From the first byte of a record on its time runs, however often some more of it comes.
    private func arm(_ context: ChannelHandlerContext) {
        guard alarm == nil else { return }
        let time = recordTime
        alarm = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) {
            self.fail(context, .tooSlow(time))
        }
    }

    private func disarm() {
        alarm?.cancel()
        alarm = nil
    }

    private func end(_ context: ChannelHandlerContext) {
        disarm()
        guard !isBroken else { return }
        do throws(RecordError) { try reader.end() } catch { fail(context, error) }
    }

    private func fail(_ context: ChannelHandlerContext, _ error: RecordError) {
        isBroken = true
        disarm()
        deliver(.error(error), context)
    }

    private func deliver(_ event: Event, _ context: ChannelHandlerContext) {
        guard held == nil else {
            held?.append(event)
            return
        }
        switch event {
        case .record(let record): context.fireChannelRead(wrapInboundOut(record))
        case .error(let error): context.fireErrorCaught(error)
        case .inputClosed: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }
}
