package import VersionKitControl
import VersionKitProcesses
package import VersionKitTestbed

/// A host with its versiond.
package struct ManagedHost: Sendable {
    package let host: TestbedHost
    /// Where its state and its log are.
    package let directory: String
    private let process: HostProcess
    private let client: ControlClient
    private let programs: String

    /// Starts versiond on a host, for one application whose releases this key signs.
    ///
    /// - Parameters:
    ///   - configuration: the directory with the host's configuration of the application.
    ///   - settings: further members of versiond's configuration, as JSON.
    package static func start(
        _ host: TestbedHost, application: String, key: String, programs: String, directory: String,
        configuration: String? = nil, settings more: [String] = []
    ) throws -> ManagedHost {
        try makeDirectory(directory)
        let socket = directory + "/control.sock"
        let settings = configuration.map { ", \"configuration\": \"\($0)\"" } ?? ""
        try write(
            """
            {
              "node": "\(host.name)", "address": \(host.addresses),
              "state": "\(directory)/state", "control": "\(socket)",
              "applications": { "\(application)": { "publishers": ["\(key)"]\(settings) } }\(more.map { ", " + $0 }.joined())
            }

            """, to: directory + "/versiond.json")
        return ManagedHost(
            host: host, directory: directory, process: try spawn(on: host, programs: programs, directory),
            client: ControlClient(path: socket), programs: programs)
    }

    private static func spawn(on host: TestbedHost, programs: String, _ directory: String) throws -> HostProcess {
        try host.spawn(
            "\(programs)/versiond", ["--config", directory + "/versiond.json"],
            output: .file(directory + "/versiond.log"))
    }

    /// Kills versiond, and waits until it is gone.
    package func kill() async throws {
        process.kill()
        _ = try await process.wait()
    }

    /// Stops versiond as an operator does, and waits until it is gone.
    package func stop() async throws {
        process.terminate()
        _ = try await process.wait()
    }

    /// The same host with a new versiond, after the old one ended.
    package func restarted() throws -> ManagedHost {
        ManagedHost(
            host: host, directory: directory,
            process: try Self.spawn(on: host, programs: programs, directory), client: client, programs: programs)
    }

    /// The directory of everything that outlives versiond.
    package var state: String { directory + "/state" }

    /// versiond's process.
    package var processID: Int32 { process.pid }

    /// What versiond says of itself, or `nil` if it does not answer (yet).
    package func status() async -> NodeStatus? {
        if case .status(let status)? = try? await ask(.status) { return status }
        return nil
    }

    /// Gives versiond a release.
    package func publish(_ release: String) async throws {
        if case .refused(let reason) = try await ask(.publish(directory: release)) {
            throw FleetError("\(host.name) refused the release: \(reason)")
        }
    }

    /// What happened on the host, and how long the stages of its upgrades took.
    package func history() async throws -> HistoryStatus {
        guard case .history(let history) = try await ask(.history(application: nil, limit: nil)) else {
            throw FleetError("\(host.name) does not tell its history")
        }
        return history
    }

    private func ask(_ request: ControlRequest) async throws -> ControlResponse {
        let client = client
        return try await tryOnThread("ask") { try client.ask(request) }
    }
}
