import ArgumentParser
import FoundationEssentials
import Glibc
import VersionKitControl
import VersionKitModel

struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What goes between versions here and peers at the moment: by application, version, peer and path.",
        discussion: """
            The path is `relay` for the slow path, and otherwise the kind of fast path. Bytes of the fast path include
            the headers of packets.

            Examples:
              versionctl top
              versionctl top --interval 5
              versionctl top --once --json     counts since versiond began, for machines
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "Seconds between two looks.")
    var interval = 1.0

    @Flag(help: "Look once more after the interval, print, and end.")
    var once = false

    @Flag(help: "JSON: with --once the counts since versiond began, otherwise rates, one array on a line.")
    var json = false

    func validate() throws {
        guard interval >= 0.1 else { throw ValidationError("the interval is at least 0.1 seconds") }
    }

    func run() async throws {
        if once, json { return try print(rows: rows()) }
        let clock = ContinuousClock()
        var (before, began) = (try rows(), clock.now)
        repeat {
            try await Task.sleep(for: .seconds(interval))
            let (after, ended) = (try rows(), clock.now)
            let seconds = (ended - began) / .seconds(1)
            let rates = TrafficTable.rates(after, since: before, seconds: seconds)
            if json {
                try print(rows: rates)
            } else {
                if !once, isatty(STDOUT_FILENO) == 1 { Swift.print("\u{1B}[H\u{1B}[2J", terminator: "") }
                Swift.print(TrafficTable.text(of: rates))
            }
            fflush(nil)
            (before, began) = (after, ended)
        } while !once
    }

    private func rows() throws -> [TrafficStatus] {
        guard case .traffic(let rows) = try node.ask(.traffic) else { return [] }
        return rows
    }

    private func print(rows: [TrafficStatus]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        Swift.print(String(decoding: try encoder.encode(rows), as: UTF8.self))
    }
}
