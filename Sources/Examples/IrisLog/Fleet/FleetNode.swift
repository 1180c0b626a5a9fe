import ExampleFleet
package import VersionKitControl
package import VersionKitProcesses
package import VersionKitTestbed

/// One host with its versiond.
package struct FleetNode: Sendable {
    package let member: Fleet.Member
    package let host: TestbedHost
    package let process: HostProcess
    package let client: ControlClient
    package let directory: String
    let programs: String
    /// versiond's environment; `nil`: this process's.
    let environment: [String: String]?

    /// Starts versiond on a host.
    ///
    /// - Parameters:
    ///   - settings: further members of its configuration, as JSON: `"peerSilenceSeconds": 5`.
    ///   - others: names of further applications, whose releases the key signs.
    ///   - environment: variables of its environment; `nil`: this process's.
    ///   - root: the file of the root that is pinned, in place of the key.
    package static func start(
        _ member: Fleet.Member, of fleet: Fleet, on host: TestbedHost, programs: String, directory: String, key: String,
        settings: [String] = [], others: [String] = [], root: String? = nil, environment: [String: String]? = nil
    ) throws -> FleetNode {
        let place = "\(directory)/\(member.name)"
        try makeDirectory(place)
        try makeDirectory(place + "/irislog")
        try write(fleet.hierarchy, to: place + "/irislog/hierarchy.xml")
        try write(fleet.configuration(of: member), to: place + "/irislog/irislog.conf")
        let socket = place + "/control.sock"
        let trust = root.map { "\"root\": \"\($0)\"" } ?? "\"publishers\": [\"\(key)\"]"
        let others = others.map { ",\n    \"\($0)\": { \"publishers\": [\"\(key)\"] }" }.joined()
        try write(
            """
            {
              "node": "\(member.name)", "address": \(member.addresses),
              "state": "\(place)/state", "control": "\(socket)",\(settings.map { " \($0)," }.joined())
              "applications": {
                "irislog": { \(trust), "configuration": "\(place)/irislog" }\(others)
              }
            }

            """, to: place + "/versiond.json")
        let process = try spawn(on: host, programs: programs, place, environment)
        return FleetNode(
            member: member, host: host, process: process, client: ControlClient(path: socket), directory: place,
            programs: programs, environment: environment)
    }

    private static func spawn(
        on host: TestbedHost, programs: String, _ place: String, _ environment: [String: String]?
    ) throws -> HostProcess {
        try host.spawn(
            "\(programs)/versiond", ["--config", place + "/versiond.json"], environment: environment,
            output: .file(place + "/versiond.log"))
    }

    /// The same node with a new versiond, after the old one ended.
    package func restarted() throws -> FleetNode {
        let process = try Self.spawn(on: host, programs: programs, directory, environment)
        return FleetNode(
            member: member, host: host, process: process, client: client, directory: directory, programs: programs,
            environment: environment)
    }

    /// What versiond says of itself, or `nil` if it does not answer (yet).
    package func status() async -> NodeStatus? {
        let client = client
        let response = try? await tryOnThread("status") { try client.ask(.status) }
        if case .status(let status)? = response { return status }
        return nil
    }

    /// Gives versiond a release.
    package func publish(_ release: String) async throws {
        if case .refused(let reason) = try await ask(.publish(directory: release)) {
            throw FleetError("\(member.name) refused the release: \(reason)")
        }
    }

    /// Gives versiond a release as soon as it has done with what it was at.
    ///
    /// What a status shows as taken away may still be under way for a moment.
    package func publish(_ release: String, within patience: Duration) async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try await publish(release)
            } catch {
                guard "\(error)".contains("is under way"), ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Asks versiond something.
    package func ask(_ request: ControlRequest) async throws -> ControlResponse {
        let client = client
        return try await tryOnThread("ask") { try client.ask(request) }
    }

    /// Runs versionctl on this node, as its operator does.
    package func versionctl(_ command: String, _ arguments: [String]) async throws -> Command.Result {
        try await Command.run("\(programs)/versionctl", [command, "--socket", "\(directory)/control.sock"] + arguments)
    }

    /// The server that this host's clients speak to.
    package var server: String { "\(member.host):\(Fleet.clientPort)" }
}
