import VersionKitProcesses

/// Makes signed releases as a developer would: a directory of files, a description, and `versionctl release make`.
package struct Workshop: Sendable {
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

    /// Makes the key that a fleet's nodes share; its file.
    package func makeFleetKey() async throws -> String {
        let path = directory + "/fleet.key"
        _ = try await versionctl(["fleet-key", "--out", path])
        return path
    }

    /// Makes the signed release of this name from its description, which names its files relative to `directory`; its
    /// directory.
    package func makeRelease(_ name: String, description: String) async throws -> String {
        let path = "\(directory)/\(name).json"
        try write(description, to: path)
        let output = "\(directory)/\(name)"
        _ = try await versionctl(["release", "make", path, "--key", key, "--output", output])
        return output
    }

    /// Copies built programs and what of the Swift runtime they use: they look for it beside themselves.
    package func copyPrograms(_ names: [String], to directory: String) async throws {
        try await copyStaticPrograms(names, to: directory)
        try await copyLibraries(of: names.map { "\(programs)/\($0)" }, to: directory) { $0.contains("/swift/linux/") }
    }

    /// Copies built programs that use no shared libraries.
    package func copyStaticPrograms(_ names: [String], to directory: String) async throws {
        try await run("mkdir", ["-p", directory])
        for name in names {
            let target = "\(directory)/\(name)"
            try await run("cp", ["\(programs)/\(name)", target])
            // Smaller by far, and the same program; where there is no strip it goes as it is.
            if let strip = Command.find("strip") { try await run(strip, ["--strip-all", target]) }
        }
    }

    /// Copies those shared libraries of programs whose paths are wanted.
    package func copyLibraries(
        of programs: [String], to directory: String, where isWanted: (String) -> Bool
    ) async throws {
        var libraries: Set<String> = []
        for program in programs {
            for line in try await run("ldd", [program]).split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count > 2, words[1] == "=>", isWanted(String(words[2])) else { continue }
                libraries.insert(String(words[2]))
            }
        }
        if !libraries.isEmpty { try await run("cp", ["-L"] + libraries.sorted() + [directory]) }
    }

    /// Runs a program that has to succeed; what it printed.
    @discardableResult
    package func run(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await Command.run(program, arguments)
        guard result.exit.isSuccess else {
            throw FleetError("\(program) \(arguments.joined(separator: " ")): \(result.exit): \(result.output)")
        }
        return result.output
    }

    private func versionctl(_ arguments: [String]) async throws -> String {
        try await run("\(programs)/versionctl", arguments)
    }
}
