import ExampleFleet
import Glibc
import Synchronization
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// Three hosts, on each of which two versions of a distributed server run: both by the same ports.
final class TwoVersions {
    /// How long anything may take before a test gives up.
    static let patience = Duration.seconds(60)
    private static let counter = Mutex(0)
    static let hosts = ["10.99.3.1", "10.99.3.2", "10.99.3.3"]

    private let testbed: Testbed
    private(set) var nodes: [ManagedHost] = []
    /// Where each host's versions are, in the order of hosts.
    private(set) var addresses: [Version: [String]] = [:]

    /// A server, as its release describes it.
    struct Server {
        var name: String
        var peerPorts: [UInt16]
        /// What clients of the test use, and what tells that it has started.
        var port: UInt16
        /// A shell script; `$HOST` is the host's address, `$VERSION` the version's number.
        var start: String
    }

    init(of server: Server) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        let number = Self.counter.withLock { number in
            number += 1
            return number
        }
        let directory = "/run/third-\(number)"
        try makeDirectory(directory)
        let programs = try Programs.directory()
        let workshop = Workshop(programs: programs, directory: directory)
        let key = try await workshop.makeKey()
        var plan = TestbedPlan()
        plan.segment("lan")
        for (index, address) in Self.hosts.enumerated() { plan.host("t\(index)", address: address, on: "lan") }
        testbed = try Testbed(plan)
        for (index, address) in Self.hosts.enumerated() {
            let configuration = "\(directory)/configuration-\(index)"
            try makeDirectory(configuration)
            try write("HOST=\(address)\n", to: configuration + "/host")
            nodes.append(
                try ManagedHost.start(
                    try #require(testbed["t\(index)"]), application: server.name, key: key, programs: programs,
                    directory: "\(directory)/t\(index)", configuration: configuration))
        }
        for version in [1, 2] as [Version] {
            let release = try await Self.release(version, of: server, by: workshop)
            for node in nodes {
                try await wait(for: "versiond") { await node.status() != nil }
                do {
                    try await node.publish(release)
                } catch {
                    // Unless a peer was faster, and the node has fetched it already.
                    guard await node.status()?.version(version) != nil else { throw error }
                }
            }
            for node in nodes {
                try await wait(for: "version \(version) of \(server.name)") {
                    guard let found = await node.status()?.version(version) else { return false }
                    if let reason = found.reason { throw FleetError(reason) }
                    return found.state == .serving
                }
                addresses[version, default: []].append(
                    try #require(await node.status()?.version(version)?.addresses?.primary.description))
            }
        }
    }

    deinit { testbed.stop() }

    private static func release(_ version: Version, of server: Server, by workshop: Workshop) async throws -> String {
        let files = "files-\(version)"
        let place = "\(workshop.directory)/\(files)/opt"
        try await workshop.run("mkdir", ["-p", place])
        try write("#!/bin/sh\n. /etc/cluster/host\nVERSION=\(version)\n\(server.start)\n", to: place + "/start")
        try await workshop.run("chmod", ["755", place + "/start"])
        return try await workshop.makeRelease(
            "\(server.name)-\(version)",
            description: """
                {
                  "application": "\(server.name)", "version": \(version),
                  "ports": { "peer": [\(server.peerPorts.map(\.description).joined(separator: ", "))] },
                  "files": "\(files)", "start": ["/opt/start"], "configurationPath": "/etc/cluster",
                  "health": { "port": \(server.port), "intervalMilliseconds": 50 },
                  "retirement": { "messagesPerSecond": 0, "periodMilliseconds": 3600000 }
                }
                """)
    }

    /// A client's connection to a version's own port on a host, from that host.
    func client(of version: Version, on index: Int, port: UInt16) throws -> TextClient {
        let address = try #require(addresses[version]?[index])
        return try TextClient(host: nodes[index].host, to: try #require(Endpoint("\(address):\(port)")))
    }

    /// Asks again and again until it is so.
    func wait(for what: String, until isReached: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            if try await isReached() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        var statuses: [String] = []
        for node in nodes { statuses.append(await node.status().map(StatusTable.text) ?? "no answer") }
        throw FleetError("no \(what) within \(Self.patience):\n\(statuses.joined(separator: "\n"))")
    }
}
