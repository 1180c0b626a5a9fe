package import VersionKitModel
package import VersionKitWire

/// Which of the headers that peers send are worth telling: one that was not told in the last second.
///
/// A version that opens a connection for each request says the same thousands of times in a second, and whoever hears of
/// it has other things to do. A value with the clock of its caller; bounded.
///
/// - Note: R6.
package struct HeaderNews: Sendable {
    /// How long a header is old news.
    package static let interval = Duration.seconds(1)
    /// Headers that are remembered; with more in one second some are told twice.
    package static let headersMax = 4096

    private struct Key: Hashable {
        var header: VersionHeader
        var peer: IPAddress
        var port: TransportPort
    }

    private var told: [Key: Duration] = [:]

    /// Nothing was told yet.
    package init() {}

    /// Whether this is to be told; then it is taken for told.
    package mutating func isNews(
        _ header: VersionHeader, from peer: IPAddress, by port: TransportPort, at now: Duration
    ) -> Bool {
        var header = header
        // How the connection was made is nobody's news.
        header.flags = []
        let key = Key(header: header, peer: peer, port: port)
        if let last = told[key], now - last < Self.interval { return false }
        if told.count >= Self.headersMax { told = told.filter { now - $0.value < Self.interval } }
        if told.count >= Self.headersMax { told = [:] }
        told[key] = now
        return true
    }
}
