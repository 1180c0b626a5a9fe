import Glibc
import VersionKitProcesses

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

    private var key: String { directory + "/publisher.key" }

    /// Makes a publisher's key; the public part, as nodes pin it.
    package func makeKey() async throws -> String {
        let output = try await versionctl(["release", "keys", "--output", key])
        return output.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// Makes the signed release of a version; its directory.
    ///
    /// - Parameters:
    ///   - start: the command that starts it instead of IrisLog's own: for releases that fail.
    ///   - startupTimeout: milliseconds that it may take to become healthy.
    package func makeRelease(
        _ version: Int, retirementPeriod: Int, start: [String]? = nil, startupTimeout: Int = 20_000, name: String? = nil
    ) async throws -> String {
        let generation = min(version, 2)
        let name = name ?? "irislog-\(version)"
        let files = "\(directory)/files-\(name)"
        let programs = ["irislog\(generation)", "irislog-proxy", "irislog-migrate"]
        try await run("mkdir", ["-p", files + "/opt/irislog"])
        for program in programs {
            let target = "\(files)/opt/irislog/\(program)"
            try await run("cp", ["\(self.programs)/\(program)", target])
            // Smaller by far, and the same program; where there is no strip it goes as it is.
            if let strip = Command.find("strip") { try await run(strip, ["--strip-all", target]) }
        }
        try await copyRuntime(of: programs.map { "\(self.programs)/\($0)" }, to: files + "/opt/irislog")
        let description = "\(directory)/\(name).json"
        let start = start ?? ["/opt/irislog/irislog\(generation)", "/etc/irislog"]
        try write(
            release(
                version, files: "files-\(name)", start: start, startupTimeout: startupTimeout,
                retirementPeriod: retirementPeriod), to: description)
        let output = "\(directory)/\(name)"
        _ = try await versionctl(["release", "make", description, "--key", key, "--output", output])
        return output
    }

    private func release(_ version: Int, files: String, start: [String], startupTimeout: Int, retirementPeriod: Int)
        -> String
    {
        """
        {
          "application": "irislog", "version": \(version), "name": "\(version).0",
          \(version > 1 ? "\"replaces\": \(version - 1)," : "")
          "ports": { "peer": [\(Fleet.peerPort)], "client": [\(Fleet.clientPort)] },
          "files": "\(files)",
          "start": [\(start.map { "\"\($0)\"" }.joined(separator: ", "))],
          "health": { "port": \(Fleet.clientPort), "intervalMilliseconds": 50, "startupTimeoutMilliseconds": \(startupTimeout) },
          "proxy": "/opt/irislog/irislog-proxy",
          "migrator": "/opt/irislog/irislog-migrate",
          "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": \(retirementPeriod) },
          "configurationPath": "/etc/irislog", "dataPath": "/var/lib/irislog"
        }

        """
    }

    /// The programs find the Swift runtime beside themselves, so a release carries what of it they use.
    private func copyRuntime(of programs: [String], to directory: String) async throws {
        var libraries: Set<String> = []
        for program in programs {
            for line in try await run("ldd", [program]).split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count > 2, words[1] == "=>", words[2].contains("/swift/linux/") else { continue }
                libraries.insert(String(words[2]))
            }
        }
        if !libraries.isEmpty { try await run("cp", ["-L"] + libraries.sorted() + [directory]) }
    }

    private func versionctl(_ arguments: [String]) async throws -> String {
        try await run("\(programs)/versionctl", arguments)
    }

    @discardableResult
    private func run(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await Command.run(program, arguments)
        guard result.exit.isSuccess else {
            throw FleetError("\(program) \(arguments.joined(separator: " ")): \(result.exit): \(result.output)")
        }
        return result.output
    }
}

/// Writes a small file.
package func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "we") else { throw SystemError("write \(path)") }
    let isWritten = fputs(text, file) >= 0
    guard fclose(file) == 0, isWritten else { throw SystemError("write \(path)") }
}

/// Why a fleet cannot go on.
package struct FleetError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
