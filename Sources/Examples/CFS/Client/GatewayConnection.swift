import ONCRPC
import ONCRPCSockets

/// The connection to a gateway: made when it is needed first, and anew when it ended.
actor GatewayConnection {
    private let address: RPCAddress
    private let connectTime: Duration
    private var state = State.none
    /// How often it was made.
    private(set) var count = 0

    private enum State {
        case none
        case connecting(Task<RPCStreamClient, any Error>)
        case connected(RPCStreamClient)
        case closed
    }

    init(to address: RPCAddress, connectTime: Duration) {
        self.address = address
        self.connectTime = connectTime
    }

    /// The connection that there is, or a new one.
    func client() async throws(RPCError) -> RPCStreamClient {
        switch state {
        case .connected(let client): return client
        case .connecting(let task): return try await Self.result(of: task)
        case .closed: throw Self.closed
        case .none: break
        }
        let (address, connectTime) = (address, connectTime)
        let task = Task { try await RPCStreamClient.connect(to: address, timeout: connectTime) }
        state = .connecting(task)
        do throws(RPCError) {
            let client = try await Self.result(of: task)
            guard case .connecting(task) = state else {
                await client.close()
                throw Self.closed
            }
            state = .connected(client)
            count += 1
            return client
        } catch {
            if case .connecting(task) = state { state = .none }
            throw error
        }
    }

    /// A connection of no use any more. Calls that still wait for it fail: they would not be answered either.
    func drop(_ client: RPCStreamClient) async {
        guard case .connected(let current) = state, current === client else { return }
        state = .none
        await client.close()
    }

    /// Ends it for good.
    func close() async {
        let old = state
        state = .closed
        if case .connected(let client) = old { await client.close() }
    }

    private static let closed = RPCError(
        .unreachable("the client was closed"), procedure: "connect", isRepeatable: true)

    private static func result(of task: Task<RPCStreamClient, any Error>) async throws(RPCError) -> RPCStreamClient {
        do {
            return try await task.value
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(.unreachable("\(error)"), procedure: "connect", isRepeatable: true)
        }
    }
}
