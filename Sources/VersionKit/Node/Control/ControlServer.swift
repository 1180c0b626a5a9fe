import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import VersionKitControl
import VersionKitModel
import VersionKitProcesses

/// Answers ``ControlRequest``s by HTTP: on a Unix socket, or on TCP to whoever shows a token.
///
/// Bounded: ``ControlLimits`` says how many connections there may be, how long a request may be, and how long it and the
/// taking of its answer may take.
final class ControlServer: Sendable {
    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
    typealias Answer = @Sendable (ControlRequest) async -> ControlResponse
    typealias Answered = @Sendable (ControlResponse) async -> Void

    private let listener: Int32
    private let channel: NIOAsyncChannel<Connection, Never>
    private let path: String?
    private let token: ControlToken?
    private let dropped = Mutex<[String: UInt64]>([:])

    /// Requests that were not even tried, by reason.
    var refused: [String: UInt64] { dropped.withLock { $0 } }

    /// Listens, or goes on listening on the socket of the versiond before.
    convenience init(path: String, resuming socket: InheritedDescriptor? = nil, group: any EventLoopGroup) async throws
    {
        try await self.init(
            listener: socket?.number ?? ControlListener.listen(at: path), path: path, token: nil, group: group)
    }

    /// As ``init(path:resuming:group:)``, on TCP.
    convenience init(
        on endpoint: Endpoint, token: ControlToken, resuming socket: InheritedDescriptor? = nil,
        group: any EventLoopGroup
    ) async throws {
        try await self.init(
            listener: socket?.number ?? ControlListener.listen(on: endpoint), path: nil, token: token, group: group)
    }

    private init(listener: Int32, path: String?, token: ControlToken?, group: any EventLoopGroup) async throws {
        (self.listener, self.path, self.token) = (listener, path, token)
        // One is the channel's, one stays open for the versiond that comes after this one.
        let copy = fcntl(listener, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw SystemError("dup") }
        channel = try await ServerBootstrap(group: group)
            .bind(copy) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
    }

    deinit { Glibc.close(listener) }

    /// The listening socket for the versiond that this one executes: those who connect meanwhile wait.
    func handOver() -> InheritedDescriptor { InheritedDescriptor(listener) }

    /// Answers until the task is cancelled.
    ///
    /// - Parameter answered: called when the asker has an answer.
    func run(answered: @escaping Answered = { _ in }, _ answer: @escaping Answer) async throws {
        try await channel.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { tasks in
                let slots = Slots(ControlLimits.connectionsMax)
                for try await connection in connections {
                    guard slots.take() else {
                        note("too many connections")
                        tasks.addTask { try? await connection.channel.close() }
                        continue
                    }
                    tasks.addTask {
                        // A client that goes away in the middle is no concern of ours.
                        try? await self.serve(connection, answered, answer)
                        slots.give()
                    }
                }
            }
        }
    }

    /// Removes the socket's name.
    func close() { if let path { unlink(path) } }

    private func note(_ reason: String) { dropped.withLock { $0[reason, default: 0] += 1 } }

    // MARK: One connection

    private func serve(_ connection: Connection, _ answered: Answered, _ answer: Answer) async throws {
        let channel = connection.channel
        let limit = {
            channel.eventLoop.scheduleTask(in: .seconds(Int64(ControlLimits.requestSecondsMax))) {
                channel.close(promise: nil)
            }
        }
        var deadline = limit()
        defer { deadline.cancel() }
        try await connection.executeThenClose { inbound, _ in
            var head: HTTPRequestHead?
            var body = ByteBuffer()
            for try await part in inbound {
                switch part {
                case .head(let next): (head, body) = (next, ByteBuffer())
                case .body(var bytes): body.writeBuffer(&bytes)
                case .end: break
                }
                guard let asked = head else { return }
                let isTooLong = body.readableBytes > ControlLimits.bodyBytesMax
                guard isTooLong || part == .end(nil) else { continue }
                deadline.cancel()
                let (reply, response) = try await reply(
                    to: asked, body, isTooLong: isTooLong, answer)
                deadline = limit()
                let isLast = isTooLong || !asked.isKeepAlive
                // What is written by the stream may still be on its way to the socket when that returns, and whoever is
                // told that the asker has an answer may end this program.
                for part in reply.parts(for: asked, isLast: isLast) { channel.write(part, promise: nil) }
                try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
                if let response { await answered(response) }
                if isLast { return }
                head = nil
            }
        }
    }

    private func reply(
        to head: HTTPRequestHead, _ body: ByteBuffer, isTooLong: Bool, _ answer: Answer
    ) async throws -> (ControlAnswer, ControlResponse?) {
        do throws(ControlFault) {
            if let token, !token.isShown(by: head.headers.first(name: "authorization")) {
                throw ControlFault(401, "this node is asked by TCP with its token: Authorization: Bearer TOKEN")
            }
            guard !isTooLong else {
                throw ControlFault(413, "a request has \(ControlLimits.bodyBytesMax) bytes at most")
            }
            let call = ControlCall(method: head.method.rawValue, target: head.uri, body: Data(body.readableBytesView))
            let response = await answer(try call.request())
            return (try Self.encoded(response), response)
        } catch {
            note("HTTP \(error.status)")
            return (try ControlAnswer(error), nil)
        }
    }

    private static func encoded(_ response: ControlResponse) throws(ControlFault) -> ControlAnswer {
        do {
            return try ControlAnswer(response)
        } catch {
            throw ControlFault(500, "the answer cannot be written: \(error)")
        }
    }
}

extension ControlAnswer {
    /// All but its end.
    fileprivate func parts(for head: HTTPRequestHead, isLast: Bool) -> [HTTPServerResponsePart] {
        var headers = HTTPHeaders([
            ("Content-Type", contentType), ("Content-Length", "\(body.count)"), ("Cache-Control", "no-store"),
        ])
        if status == 401 { headers.add(name: "WWW-Authenticate", value: "Bearer") }
        if isLast { headers.add(name: "Connection", value: "close") }
        let first = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        return [.head(first), .body(.byteBuffer(ByteBuffer(bytes: body)))]
    }
}
