public import CFSModel
public import NIOCore
public import ONCRPC
public import ONCRPCSockets
import Synchronization

/// Calls a gateway: so many calls at a time over one connection, which is made anew when it ended. What failed and may pass is
/// tried again, for to store or get a block twice is as good as once.
///
/// It checks nothing that the gateway says: ``GatewayBlocks`` does.
public final class GatewayClient: Sendable {
    /// How it calls.
    public struct Options: Sendable {
        /// What the gateway speaks.
        public var form: GatewayForm
        /// Calls under way at a time. A gateway of ours takes 32 of one connection.
        public var concurrency = 32
        /// How often a call is tried, and how long to wait in between. The time for an answer is ``callTime``.
        public var patience = RPCPatience(firstTime: .milliseconds(100), longestTime: .seconds(2), attempts: 5)
        /// How long to wait for an answer. A historic node gives up storing after 60 s.
        public var callTime = Duration.seconds(60)
        /// How long to wait for a connection.
        public var connectTime = Duration.seconds(10)

        /// The defaults, for one form.
        public init(_ form: GatewayForm) { self.form = form }
    }

    /// What happened since the beginning.
    public struct Counters: Hashable, Sendable {
        /// Blocks that were asked for or brought.
        public var requests = 0
        /// Calls that were made once more.
        public var retries = 0
        /// Requests that failed in the end.
        public var failures = 0

        /// Counts.
        public init(requests: Int = 0, retries: Int = 0, failures: Int = 0) {
            self.requests = requests
            self.retries = retries
            self.failures = failures
        }
    }

    /// How it calls.
    public let options: Options

    private let connection: GatewayConnection
    private let window: CallWindow
    private let state = Mutex(Counters())

    /// A client of the gateway at this address. It connects when it is asked for something.
    public init(to address: RPCAddress, _ options: Options) {
        self.options = options
        connection = GatewayConnection(to: address, connectTime: options.connectTime)
        window = CallWindow(options.concurrency)
    }

    /// What happened so far.
    public var counters: Counters { state.withLock { $0 } }

    /// Gets a block.
    ///
    /// - Returns: nil if the gateway says that there is none.
    /// - Throws: ``GatewayError``, after the last attempt.
    public func retrieve(_ key: ChordID, _ kind: GatewayBlockKind) async throws(GatewayError) -> GatewayBlock? {
        try await request(key) { calls throws(GatewayError) in try await calls.retrieve(key, kind) }
    }

    /// Stores a block.
    ///
    /// - Parameter expiration: Until when it is to be kept, in seconds since 1970; nil: as long as the nodes like. Nothing that
    ///   a gateway of 2004 could be told.
    /// - Returns: The nodes on the way to where it is.
    /// - Throws: ``GatewayError``, after the last attempt. Then nobody knows whether it is stored, unless the error says so.
    @discardableResult
    public func insert(
        _ key: ChordID, _ kind: GatewayBlockKind, _ block: ByteBuffer, expiration: UInt32? = nil
    ) async throws(GatewayError) -> [ChordID] {
        try await request(key) { calls throws(GatewayError) in
            try await calls.insert(key, kind, block, expiration: expiration)
        }
    }

    /// Ends the connection. What is under way fails.
    public func close() async { await connection.close() }

    private func request<Value: Sendable>(
        _ key: ChordID, _ body: (GatewayCalls) async throws(GatewayError) -> Value
    ) async throws(GatewayError) -> Value {
        guard await window.enter() else { throw GatewayError(.cancelled, block: key) }
        defer { window.leave() }
        state.withLock { $0.requests += 1 }
        var attempt = 1
        while true {
            do throws(GatewayError) {
                return try await once(key, body)
            } catch {
                guard error.mayPass, attempt < options.patience.attempts else {
                    state.withLock { $0.failures += 1 }
                    throw GatewayError(error.code, block: key, attempts: attempt)
                }
            }
            do { try await Task.sleep(for: options.patience.wait(afterAttempt: attempt)) } catch {
                throw GatewayError(.cancelled, block: key, attempts: attempt)
            }
            attempt += 1
            state.withLock { $0.retries += 1 }
        }
    }

    private func once<Value>(
        _ key: ChordID, _ body: (GatewayCalls) async throws(GatewayError) -> Value
    ) async throws(GatewayError) -> Value {
        let client: RPCStreamClient
        do throws(RPCError) { client = try await connection.client() } catch {
            throw GatewayError(.call(error), block: key)
        }
        do throws(GatewayError) {
            return try await body(GatewayCalls(form: options.form, client: client, patience: .once(options.callTime)))
        } catch {
            if case .call(let call) = error.code, call.endsConnection { await connection.drop(client) }
            throw error
        }
    }
}

extension RPCError {
    /// Whether the connection is not worth anything any more.
    fileprivate var endsConnection: Bool {
        switch code {
        case .unreachable, .disconnected, .timedOut: true
        default: false
        }
    }
}
