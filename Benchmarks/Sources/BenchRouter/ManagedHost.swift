import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// A host with its versiond.
struct ManagedHost {
    let process: Child
    /// The control socket.
    let socket: String
    let host: Namespace
    private let state: String

    static func start(
        _ name: String, address: String, on host: Namespace, kernelPath: String, releases: [BenchRelease],
        _ bench: RouterBench
    ) throws -> ManagedHost {
        let directory = try bench.folder(name)
        let socket = "\(directory)/control.sock"
        let applications = releases.map { "\"\($0.application)\": { \"publishers\": [\"\($0.key)\"] }" }
        try File.write(
            """
            {
              "node": "\(name)", "address": "\(address)", "kernelPath": "\(kernelPath)",
              "state": "\(directory)/state", "control": "\(socket)",
              "applications": { \(applications.joined(separator: ", ")) }
            }

            """, to: "\(directory)/versiond.json")
        let process = try bench.start(
            "versiond", in: host, "\(bench.tools.programs)/versiond", ["--config", "\(directory)/versiond.json"])
        return ManagedHost(process: process, socket: socket, host: host, state: "\(directory)/state/")
    }

    /// Gives it the release, and waits until the application runs; the application's process.
    func install(_ release: BenchRelease, _ bench: RouterBench) throws -> Int32 {
        _ = try retry(seconds: 20) {
            try bench.run(
                "\(bench.tools.programs)/versionctl", ["release", "publish", "--socket", socket, release.directory])
        }
        return try retry(seconds: 60) {
            // Its parent, which is nobody's child, was told where on this host the environment is.
            let word = "\0tcp=\(release.port)\0"
            let found = Processors.all().first { id in
                let words = File.text("/proc/\(id)/cmdline")
                guard words.hasPrefix("/opt/bench/bench-load\0"), words.contains(word),
                    let parent = ProcessorTime.parent(stat: File.text("/proc/\(id)/stat"))
                else { return false }
                return File.text("/proc/\(parent)/cmdline").contains(state)
            }
            guard let found else { throw BenchError("the application does not start") }
            return found
        }
    }

    private func retry<Result>(seconds: Double, _ body: () throws -> Result) throws -> Result {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            if let code = Children.exitCode(of: process) {
                throw BenchError("versiond ended with \(code): \(process.lastWords)")
            }
            do { return try body() } catch {
                guard Date() < deadline else { throw BenchError("\(error): \(process.lastWords)") }
                usleep(50_000)
            }
        }
    }
}
