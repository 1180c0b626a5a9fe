import VersionKitModel

/// `versionctl top`: what went by in a while, the most first.
public enum TrafficTable {
    private struct Key: Hashable {
        var application: ApplicationID
        var version: Version
        var peer: String
        var transport: TransportProtocol
        var path: String

        init(_ row: TrafficStatus) {
            application = row.application
            version = row.version
            peer = row.peer
            transport = row.transport
            path = row.path
        }
    }

    /// The rows' growth per second, without those in which nothing happened.
    ///
    /// - Parameters:
    ///   - before: an earlier answer; a row that is not in it counts from 0, one that shrank (versiond began again) too.
    ///   - seconds: the time between the two, more than 0.
    public static func rates(_ now: [TrafficStatus], since before: [TrafficStatus], seconds: Double) -> [TrafficStatus]
    {
        let old = Dictionary(before.map { (Key($0), $0) }) { first, _ in first }
        return now.map { row in
            let earlier = old[Key(row)]
            func rate(_ field: KeyPath<TrafficStatus, UInt64>) -> UInt64 {
                let value = row[keyPath: field]
                let start = earlier?[keyPath: field] ?? 0
                return UInt64((Double(start <= value ? value - start : value) / seconds).rounded())
            }
            var rates = row
            rates.connections = rate(\.connections)
            rates.messages = rate(\.messages)
            rates.bytesOut = rate(\.bytesOut)
            rates.bytesIn = rate(\.bytesIn)
            return rates
        }
        .filter { $0.connections + $0.messages + $0.bytesOut + $0.bytesIn > 0 }
        .sorted { ($0.bytesOut + $0.bytesIn, $1.peer) > ($1.bytesOut + $1.bytesIn, $0.peer) }
    }

    /// A table for people.
    public static func text(of rates: [TrafficStatus]) -> String {
        let header = ["application", "version", "peer", "proto", "path", "conn/s", "msg/s", "out B/s", "in B/s"]
        let rows = rates.map { row in
            [
                row.application.description, row.version.description, row.peer, row.transport.description, row.path,
                "\(row.connections)", "\(row.messages)", "\(row.bytesOut)", "\(row.bytesIn)",
            ]
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                // Names to the left, numbers to the right.
                return column < 5 ? row[column] + padding : padding + row[column]
            }
            .joined(separator: "  ")
        }
        .joined(separator: "\n")
    }
}
