import ExampleFleet
import Glibc

/// Makes IrisLog's two releases as a developer would: a directory of files, a description, and `versionctl release make`.
package struct ReleaseStaging: Sendable {
    /// Where the built programs are.
    package let programs: String
    /// Where the releases go.
    package let directory: String

    package init(programs: String, directory: String) {
        self.programs = programs
        self.directory = directory
    }

    private var workshop: Workshop { Workshop(programs: programs, directory: directory) }

    /// Makes a publisher's key; the public part, as nodes pin it.
    package func makeKey() async throws -> String { try await workshop.makeKey() }

    /// Makes the key that a fleet's nodes share; its file.
    package func makeFleetKey() async throws -> String { try await workshop.makeFleetKey() }

    /// Makes the signed release of a version; its directory.
    ///
    /// - Parameters:
    ///   - replaces: the version that it replaces; `nil`: the one before it.
    ///   - start: the command that starts it instead of IrisLog's own: for releases that fail.
    ///   - startupTimeout: milliseconds that it may take to become healthy.
    ///   - health: further members of its health check, as JSON.
    ///   - migrator: the name of its migrator among the programs.
    ///   - settings: further members of the description, as JSON.
    ///   - replays: whether what clients write after the older version retired is replayed when it is gone back to.
    package func makeRelease(
        _ version: Int, replaces: Int? = nil, retirementPeriod: Int, start: [String]? = nil,
        startupTimeout: Int = 20_000,
        name: String? = nil,
        health: [String] = [], settings: [String] = [], migrator: String = "irislog-migrate", replays: Bool = false
    ) async throws -> String {
        let generation = min(version, 2)
        let name = name ?? "irislog-\(version)"
        let files = "\(directory)/files-\(generation)"
        // The same for all releases of a generation.
        if access(files, F_OK) != 0 {
            try await workshop.copyPrograms(
                ["irislog\(generation)", "irislog-proxy", "irislog-migrate"], to: files + "/opt/irislog")
        }
        let start = start ?? ["/opt/irislog/irislog\(generation)", "/etc/irislog"]
        return try await workshop.makeRelease(
            name,
            description: release(
                version, replaces: replaces ?? version - 1, files: "files-\(generation)", start: start,
                startupTimeout: startupTimeout,
                retirementPeriod: retirementPeriod, health: health, settings: settings,
                migrator: migrator, replays: replays))
    }

    private func release(
        _ version: Int, replaces: Int, files: String, start: [String], startupTimeout: Int, retirementPeriod: Int,
        health: [String],
        settings: [String], migrator: String, replays: Bool
    ) -> String {
        """
        {
          "application": "irislog", "version": \(version), "name": "\(version).0",
          \(replaces > 0 ? "\"replaces\": \(replaces)," : "")
          "ports": { "peer": [\(Fleet.peerPort)], "client": [\(Fleet.clientPort)] },
          "files": "\(files)",
          "start": [\(start.map { "\"\($0)\"" }.joined(separator: ", "))],
          "health": {
            "port": \(Fleet.clientPort), "intervalMilliseconds": 50,
            \(health.map { $0 + "," }.joined()) "startupTimeoutMilliseconds": \(startupTimeout)
          },\(settings.map { " \($0)," }.joined())
          "proxy": "/opt/irislog/irislog-proxy",
          "migrator": "/opt/irislog/\(migrator)",
          "retirement": {
            "messagesPerSecond": 0.5, "periodMilliseconds": \(retirementPeriod)\(replays ? ", \"replay\": true" : "")
          },
          "configurationPath": "/etc/irislog", "dataPath": "/var/lib/irislog"
        }

        """
    }

    /// A member of a description: it begins on so many of a hundred nodes, and on all when one vouches for it.
    package static func spread(percent: Int, milliseconds: Int) -> String {
        #""spread": { "canaryPercent": \#(percent), "observationMilliseconds": \#(milliseconds) }"#
    }
}
