import ArgumentParser
import Glibc
import VersionKitControl
import VersionKitModel

func applicationID(_ text: String) throws -> ApplicationID {
    guard let id = ApplicationID(rawValue: text) else { throw ValidationError("'\(text)' is no application's name") }
    return id
}

/// Reads the number of a version.
func versionNumber(_ text: String) throws -> Version {
    guard let version = Version(text) else { throw ValidationError("'\(text)' is no version's number, 1 or greater") }
    return version
}

/// Reads an address; one of IPv6 may be in brackets, as it stands before a port.
func ipAddress(_ text: String) throws -> IPAddress {
    let isBracketed = text.first == "[" && text.last == "]" && text.contains(":")
    guard let address = IPAddress(isBracketed ? String(text.dropFirst().dropLast()) : text) else {
        throw ValidationError("'\(text)' is no IP address")
    }
    return address
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What runs on nodes: versions, stages and their times, router, proxy, peers.",
        discussion: """
            With --watch, a table of all nodes that are named, again and again: MSG/S is what peers sent to a version, LAG \
            the writes that will be brought to it. With --json, one object for a node, an array for several.

            Examples:
              versionctl status
              versionctl status --json | jq '.applications[0].versions'
              versionctl status --watch --node http://10.0.0.1:7080 --node http://10.0.0.2:7080 --token-file token

            Exit codes: 0 every node answered, 1 one refused, 64 wrong usage, 69 one does not answer. With --watch, a \
            node that does not answer is in the table.
            """)

    @OptionGroup var fleet: FleetOptions

    @Flag(help: "JSON, for machines.")
    var json = false

    @Flag(help: "Again and again until interrupted; on a terminal the table is redrawn.")
    var watch = false

    @Option(help: "Seconds between two looks with --watch.")
    var interval = 1.0

    func validate() throws {
        guard interval >= 0.1 else { throw ValidationError("the interval is at least 0.1 seconds") }
    }

    func run() async throws {
        let clients = try fleet.clients()
        guard watch else { return try show(clients.map { FleetTable.Row(asking: $0.client, at: $0.place) }) }
        let clock = ContinuousClock()
        var before: (rows: [FleetTable.Row], at: ContinuousClock.Instant)?
        while true {
            let rows = clients.map { FleetTable.Row(asking: $0.client, at: $0.place) }
            let now = clock.now
            if json {
                if rows != before?.rows { try printJSON(rows) }
            } else {
                if before != nil, isatty(STDOUT_FILENO) == 1 { print("\u{1B}[H\u{1B}[2J", terminator: "") }
                print(
                    FleetTable.text(
                        of: rows, since: before?.rows, seconds: before.map { (now - $0.at) / .seconds(1) } ?? 1))
                fflush(nil)
            }
            before = (rows, now)
            try await Task.sleep(for: .seconds(interval))
        }
    }

    private func show(_ rows: [FleetTable.Row]) throws {
        let known = rows.compactMap(\.status)
        if json {
            try printJSON(rows, isPretty: true)
        } else if !known.isEmpty {
            print(known.map(StatusTable.text).joined(separator: "\n\n"))
        }
        for row in rows where row.status == nil { complain(row.failure ?? "\(row.place) does not answer") }
        guard let failed = rows.first(where: { $0.status == nil }) else { return }
        throw ExitCode(failed.isRefused ? 1 : 69)
    }

    private func printJSON(_ rows: [FleetTable.Row], isPretty: Bool = false) throws {
        let known = rows.compactMap(\.status)
        if rows.count > 1 {
            try printValue(known, onOneLine: !isPretty)
        } else if let status = known.first {
            try printValue(status, onOneLine: !isPretty)
        }
    }
}

extension FleetTable.Row {
    fileprivate init(asking client: ControlClient, at place: String) {
        do {
            switch try client.ask(.status) {
            case .status(let status): self.init(place: place, status: status)
            case .refused(let reason): self.init(place: place, status: nil, failure: reason, isRefused: true)
            default: self.init(place: place, status: nil, failure: "\(place) answered something else")
            }
        } catch {
            self.init(place: place, status: nil, failure: "\(error)")
        }
    }
}
