import NIOCore
public import ONCRPC
import Synchronization

/// Calls procedures of one server.
public protocol RPCClient: Sendable {
    /// Calls a procedure, and waits for its results.
    ///
    /// Calls may be made from several tasks at a time. A task that is cancelled does not wait any longer; whether its call
    /// is carried out nobody knows.
    ///
    /// - Parameter patience: `nil`: the client's own.
    /// - Throws: `RPCError`, which says whether the call may be made again.
    func call<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments, patience: RPCPatience?
    ) async throws(RPCError) -> Results
}

extension RPCClient {
    /// Calls a procedure with the client's own patience.
    public func call<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments
    ) async throws(RPCError) -> Results {
        try await call(procedure, arguments, patience: nil)
    }

    /// Calls a procedure that takes nothing.
    public func call<Results>(_ procedure: RPCProcedure<XDRVoid, Results>) async throws(RPCError) -> Results {
        try await call(procedure, XDRVoid(), patience: nil)
    }
}

/// A call on its way through a channel's pipeline. Its `xid` is the handler's to choose.
struct OutgoingCall: Sendable {
    let call: RPCCall
    /// Where to, on a socket that reaches many.
    let peer: SocketAddress?
    let patience: RPCPatience
    let messageBytesMax: Int
    let token: CallToken
    let promise: EventLoopPromise<RPCReply>
}

/// Tells a channel's handler that nobody waits for a call any more, whichever comes first: this or the call.
final class CallToken: Sendable {
    private let isCancelledFlag = Atomic<Bool>(false)

    var isCancelled: Bool { isCancelledFlag.load(ordering: .sequentiallyConsistent) }

    func cancel() { isCancelledFlag.store(true, ordering: .sequentiallyConsistent) }
}

/// Fails a call within a pipeline; what it becomes for the caller depends on the procedure.
struct CallFailure: Error {
    let code: RPCError.Code
}

extension Channel {
    /// Sends a call through the pipeline and waits for its reply.
    func call<Arguments, Results>(
        _ procedure: RPCProcedure<Arguments, Results>, _ arguments: Arguments, to peer: SocketAddress?,
        patience: RPCPatience, limits: RPCLimits, messageBytesMax: Int
    ) async throws(RPCError) -> Results {
        let call: RPCCall
        do throws(XDRError) { call = try procedure.call(arguments) } catch {
            throw procedure.error(.badArguments(error))
        }
        let outgoing = OutgoingCall(
            call: call, peer: peer, patience: patience, messageBytesMax: messageBytesMax, token: CallToken(),
            promise: eventLoop.makePromise())
        // A channel that is closed already never shows the call to its handler: nothing was sent.
        writeAndFlush(outgoing).whenFailure { error in
            outgoing.promise.fail(CallFailure(code: .unreachable("the socket is closed: \(error)")))
        }
        let reply: RPCReply
        do {
            reply = try await withTaskCancellationHandler {
                try await outgoing.promise.futureResult.get()
            } onCancel: {
                outgoing.token.cancel()
                triggerUserOutboundEvent(outgoing.token, promise: nil)
            }
        } catch let failure as CallFailure {
            throw procedure.error(failure.code)
        } catch {
            throw procedure.error(.disconnected("\(error)"))
        }
        return try procedure.results(of: reply, limits: XDRLimits(opaqueBytesMax: limits.recordBytesMax))
    }
}
