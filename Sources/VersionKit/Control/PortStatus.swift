public import VersionKitModel

/// One version's hold on one registered port.
public struct PortStatus: Codable, Sendable, Equatable {
    /// The port.
    public var port: TransportPort
    /// The application that it belongs to.
    public var application: ApplicationID
    /// The version that registered it.
    public var version: Version
    /// The application's name for what it speaks there.
    public var name: ProtocolName?
    /// When the hold ends unless it is renewed, in milliseconds since 1970; `nil`: with the environment.
    public var endsAt: Int64?

    /// A hold.
    public init(port: TransportPort, application: ApplicationID, version: Version, name: ProtocolName?, endsAt: Int64?)
    {
        self.port = port
        self.application = application
        self.version = version
        self.name = name
        self.endsAt = endsAt
    }
}

/// Registered ports for people.
public enum PortTable {
    /// One line for each hold, below a line of titles, without an end of line behind the last one.
    ///
    /// - Parameter now: milliseconds since 1970, for what is left of leases.
    public static func text(of ports: [PortStatus], at now: Int64) -> String {
        var rows = [["PORT", "APPLICATION", "VERSION", "PROTOCOL", "LEASE"]]
        for port in ports {
            let lease = port.endsAt.map { "\(max(0, ($0 - now + 999) / 1000)) s" } ?? "environment"
            rows.append(
                [
                    port.port.description, port.application.description, port.version.description,
                    port.name?.description ?? "-", lease,
                ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                // Nothing stands behind the last column.
                let isLast = column == row.count - 1
                return row[column] + String(repeating: " ", count: isLast ? 0 : widths[column] - row[column].count + 2)
            }.joined()
        }.joined(separator: "\n")
    }
}
