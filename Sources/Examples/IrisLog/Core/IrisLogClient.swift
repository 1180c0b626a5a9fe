/// What the clients of all versions have in common; refusals are thrown as `IrisLogError`.
public protocol IrisLogClient: Sendable {
    /// The items an XPath expression selects.
    func query(_ xpath: String) async throws -> [String]
    /// Stores a reading of a node; only its owner accepts it.
    func update(path: String, sensor: String, sequence: UInt64, at: UInt64, value: String) async throws
    /// The server's own data as XML.
    func export() async throws -> String
    /// Asks for a sign of life.
    func ping() async throws
    /// Closes the connection; requests under way fail.
    func close() async
}
