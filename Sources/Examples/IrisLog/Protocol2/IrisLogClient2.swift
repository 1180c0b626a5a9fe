public import IrisLogCore
import IrisLogNetwork
public import NIOCore
import Synchronization

/// A client of version 2: one connection, one request at a time, later calls wait.
public final class IrisLogClient2: IrisLogClient {
    private let exchange: Exchange<Reply2Decoder>
    private let nextID = Atomic<UInt32>(0)

    private init(_ exchange: Exchange<Reply2Decoder>) {
        self.exchange = exchange
    }

    /// Connects to a server; the time-out is also that of each request.
    public static func connect(
        host: String, port: Int, group: (any EventLoopGroup)? = nil, timeout: Duration = .seconds(10)
    ) async throws -> IrisLogClient2 {
        IrisLogClient2(try await Exchange(host: host, port: port, timeout: timeout, group: group))
    }

    /// The items an XPath expression selects.
    public func query(_ xpath: String) async throws -> [String] {
        guard case .answer(let items) = try await send(.query(xpath)) else { throw Self.unexpected }
        return items
    }

    /// Stores a reading of a node; only its owner accepts it.
    public func update(path: String, sensor: String, sequence: UInt64, at: UInt64, value: String) async throws {
        guard let place = IDPath(xpath: path) else { throw IrisLogError(.syntax, "not an id path: \(path)") }
        let reading = try Reading(sensor: sensor, sequence: sequence, at: at, value: value)
        guard case .done = try await send(.update(place, reading)) else { throw Self.unexpected }
    }

    /// The server's own data as XML.
    public func export() async throws -> String {
        guard case .database(let xml) = try await send(.export) else { throw Self.unexpected }
        return xml
    }

    /// Adds the readings of another server's export that are missing there; returns how many were.
    public func merge(_ xml: String) async throws -> Int {
        guard case .merged(let count) = try await send(.merge(xml)) else { throw Self.unexpected }
        return count
    }

    /// Asks for a sign of life.
    public func ping() async throws {
        guard case .pong = try await send(.ping) else { throw Self.unexpected }
    }

    /// Closes the connection; requests under way fail.
    public func close() async {
        await exchange.close()
    }

    private func send(_ request: ClientRequest2) async throws(IrisLogError) -> Reply2 {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        let frame = request.frame(id: id)
        guard frame.payload.readableBytes + Frame.headerBytes <= Limits.documentBytes else {
            throw IrisLogError(.limit, "request too long")
        }
        let identified = try await exchange.send(frame.encoded)
        if case .error(let error) = identified.reply { throw error }
        guard identified.id == id else { throw Self.unexpected }
        return identified.reply
    }

    private static let unexpected = IrisLogError(.unreachable, "the reply does not fit the request")
}
