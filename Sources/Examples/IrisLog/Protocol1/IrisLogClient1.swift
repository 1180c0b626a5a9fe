public import IrisLogCore
import IrisLogNetwork
public import NIOCore

/// A client of version 1: one connection, one request at a time, later calls wait.
public final class IrisLogClient1: IrisLogClient {
    private let exchange: Exchange<Reply1Decoder>

    private init(_ exchange: Exchange<Reply1Decoder>) {
        self.exchange = exchange
    }

    /// Connects to a server; the time-out is also that of each request.
    public static func connect(
        host: String, port: Int, group: (any EventLoopGroup)? = nil, timeout: Duration = .seconds(10)
    ) async throws -> IrisLogClient1 {
        IrisLogClient1(try await Exchange(host: host, port: port, timeout: timeout, group: group))
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

    /// Asks for a sign of life.
    public func ping() async throws {
        guard case .pong = try await send(.ping) else { throw Self.unexpected }
    }

    /// Closes the connection; requests under way fail.
    public func close() async {
        await exchange.close()
    }

    private func send(_ request: ClientRequest1) async throws(IrisLogError) -> Reply1 {
        let line = request.line
        // A line feed would be a second request, whose reply nobody expects.
        guard !line.utf8.contains(UInt8(ascii: "\n")) else { throw IrisLogError(.syntax, "line feed in a request") }
        guard line.utf8.count <= Limits.lineBytes else { throw IrisLogError(.limit, "request too long") }
        let reply = try await exchange.send(ByteBuffer(string: line + "\n"))
        if case .error(let error) = reply { throw error }
        return reply
    }

    private static let unexpected = IrisLogError(.unreachable, "the reply does not fit the request")
}
