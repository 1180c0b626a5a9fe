import BenchDriver
import ExampleFleet
import FoundationEssentials
import VersionKitControl
import VersionKitModel

/// How much memory versiond takes.
struct Memory {
    private let nodes: Int
    private let bytes: Int

    init(_ settings: Settings) throws {
        nodes = try settings.number("nodes")
        bytes = try settings.number("bytes")
    }

    func run() async throws {
        let fleet = try await BenchFleet(hosts: nodes)
        defer { fleet.stop() }
        // Whatever it does once, it has done.
        for _ in 0..<20 { _ = try await fleet.hosts[1].history() }
        report("idle", try Usage(of: fleet.hosts[1].processID))
        try await fleet.install(try await fleet.release(1, payload: Payload(bytes: bytes)))
        for version: Version in [2, 3] {
            let release = try await fleet.release(version, payload: Payload(bytes: bytes))
            var most = Usage()
            try await fleet.hosts[0].publish(release)
            for host in fleet.hosts {
                try await fleet.wait("version \(version)", on: host) { status in
                    if let usage = try? Usage(of: fleet.hosts[1].processID) { most = max(most, usage) }
                    return status.applications.first?.serving == [version]
                }
            }
            guard version == 3 else { continue }
            report("3 releases and a swarm: most while the third came", most)
            try await fleet.wait("3 releases that are handed on", on: fleet.hosts[1]) { $0.swarm?.releases == 3 }
            report("3 releases and a swarm: afterwards", try Usage(of: fleet.hosts[1].processID))
        }
    }

    private func report(_ what: String, _ usage: Usage) {
        tell("\(what): resident", usage.resident, "MB")
        tell("\(what): its share", usage.share, "MB")
        tell("\(what): of no file", usage.anonymous, "MB")
    }
}

/// What the kernel says of a process's memory, in megabytes.
struct Usage: Comparable {
    var resident = 0.0
    /// Of pages that others have too, its part.
    var share = 0.0
    /// What is of no file.
    var anonymous = 0.0

    init() {}

    init(of process: Int32) throws {
        let text = try String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8)
        func megabytes(_ name: String) throws -> Double {
            let words = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }?.split(separator: " ")
            guard let words, words.count > 1, let kilobytes = Double(String(words[1])) else {
                throw FleetError("process \(process) does not tell \(name)")
            }
            return kilobytes * 1024 / 1e6
        }
        resident = try megabytes("Rss")
        share = try megabytes("Pss")
        anonymous = try megabytes("Anonymous")
    }

    static func < (left: Self, right: Self) -> Bool { left.resident < right.resident }
}
