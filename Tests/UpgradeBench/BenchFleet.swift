import ExampleFleet
import FoundationEssentials
import Glibc
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// Hosts with versiond, whose application's nodes talk to each other all the time.
final class BenchFleet: Sendable {
    private static let application = "gossip"
    private static let port = 7100
    private static let place = "/opt/gossip"
    private static let installsMax = 4
    private static let settingsPath = "/etc/gossip"

    let hosts: [ManagedHost]
    private let testbed: Testbed
    private let workshop: Workshop
    private let directory: String
    private let periodMilliseconds: Int

    /// - Parameters:
    ///   - megabits: what each host's link carries each way; `nil`: as much as it can.
    ///   - period: how often each node says something, in milliseconds.
    ///   - settings: further members of each node's configuration, as JSON.
    init(hosts count: Int, megabits: Int? = nil, period: Int = 250, settings: [String] = []) async throws {
        let programs = try Programs.directory()
        let directory = "/run/upgrade-bench"
        self.directory = directory
        periodMilliseconds = period
        try makeDirectory(directory)
        workshop = Workshop(programs: programs, directory: directory)
        let key = try await workshop.makeKey()
        var plan = TestbedPlan()
        plan.segment("lan")
        let addresses = (0..<count).map(hostAddress)
        for (node, address) in addresses.enumerated() { plan.host("n\(node)", address: address, on: "lan") }
        let testbed = try Testbed(plan)
        self.testbed = testbed
        if let megabits { for node in 0..<count { try testbed.limit("n\(node)", to: .megabits(megabits)) } }
        hosts = try addresses.indices.map { node in
            guard let host = testbed["n\(node)"] else { throw FleetError("host \(node) is missing") }
            let place = "\(directory)/n\(node)"
            let configuration = "\(place)/configuration"
            for path in [place, configuration] { try makeDirectory(path) }
            let others = addresses.enumerated().filter { $0.offset != node }.map { $0.element + "\n" }
            try write(others.joined(), to: configuration + "/peers")
            return try ManagedHost.start(
                host, application: Self.application, key: key, programs: programs, directory: place,
                configuration: configuration, settings: settings)
        }
        for host in hosts { try await wait("versiond", on: host) { _ in true } }
    }

    func stop() { testbed.stop() }

    /// Makes a release; the application is the same in all of them, what is beside it is given.
    func release(_ version: Version, payload: Payload? = nil) async throws -> String {
        let files = "files-\(version)"
        try await workshop.copyStaticPrograms(["gossip-app"], to: "\(directory)/\(files)\(Self.place)")
        try payload?.write(to: "\(directory)/\(files)/opt/payload")
        return try await workshop.makeRelease(
            "gossip-\(version)",
            description: """
                {
                  "application": "\(Self.application)", "version": \(version),
                  \(version > 1 ? "\"replaces\": \(version.number - 1)," : "")
                  "ports": { "peer": [\(Self.port)] }, "files": "\(files)",
                  "start": ["\(Self.place)/gossip-app", "\(Self.port)", "\(periodMilliseconds)", "\(Self.settingsPath)/peers"],
                  "health": { "port": \(Self.port), "intervalMilliseconds": 20, "startupTimeoutMilliseconds": 120000 },
                  "retirement": { "messagesPerSecond": 1000000, "periodMilliseconds": 300 },
                  "configurationPath": "\(Self.settingsPath)"
                }

                """)
    }

    /// Gives the first version to every host, and waits until it serves: to few at a time, since they are one machine.
    func install(_ release: String) async throws {
        for first in stride(from: 0, to: hosts.count, by: Self.installsMax) {
            let some = hosts[first..<min(first + Self.installsMax, hosts.count)]
            for host in some { try await host.publish(release) }
            for host in some { try await wait("version 1", on: host) { $0.applications.first?.serving == [1] } }
        }
    }

    /// Waits until all hosts have a version, and no other.
    func waitUntilAll(serveOnly version: Version) async throws {
        for host in hosts {
            try await wait("version \(version) alone", on: host) { status in
                guard let application = status.applications.first, application.serving == [version] else {
                    return false
                }
                return application.versions.allSatisfy { $0.state != .upgrading && $0.stage == nil }
            }
        }
    }

    @discardableResult
    func wait(
        _ what: String, on host: ManagedHost, until isReached: (NodeStatus) -> Bool
    ) async throws -> NodeStatus {
        let deadline = ContinuousClock.now + Patience.limit
        var last: NodeStatus?
        while ContinuousClock.now < deadline {
            if let status = await host.status() {
                if isReached(status) { return status }
                last = status
            }
            try await Task.sleep(for: Patience.interval)
        }
        throw FleetError("no \(what) on \(host.host.name); last: \(last.map(StatusTable.text) ?? "no answer")")
    }

    /// The stages of an upgrade on one host, as its journal has them.
    func stages(of version: Version, on host: ManagedHost) async throws -> [StageTime] {
        let upgrades = try await host.history().upgrades
        return upgrades.first { $0.version == version }?.stages ?? []
    }

    /// When a stage of an upgrade began on a host, in milliseconds since 1970.
    func began(_ stage: UpgradeStage, of version: Version, on host: ManagedHost) async throws -> Int64 {
        guard let time = try await stages(of: version, on: host).first(where: { $0.stage == stage }) else {
            throw FleetError("\(host.host.name) has not come to \(stage.title) of version \(version)")
        }
        return time.startedAt
    }

    /// What a host's link has brought to it, in bytes, headers and all.
    func received(_ host: ManagedHost) throws -> Double {
        let result = try host.host.run("cat", ["/proc/net/dev"])
        let line = result.output.split(separator: "\n").first { $0.contains("eth0:") }
        let words = line?.split(separator: ":").last?.split(whereSeparator: \.isWhitespace) ?? []
        guard let bytes = words.first.flatMap({ Double(String($0)) }) else {
            throw FleetError("\(host.host.name) does not tell what it has received: \(result.output)")
        }
        return bytes
    }
}

/// How long a measurement waits, and how often it looks.
enum Patience {
    static let limit = Duration.seconds(200)
    static let interval = Duration.milliseconds(50)
}

/// The address of a host of the testbed, by its number.
func hostAddress(_ number: Int) -> String { "10.99.\(number / 200).\(number % 200 + 1)" }
