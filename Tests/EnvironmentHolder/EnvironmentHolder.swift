import Foundation
import VersionKitIsolation
import VersionKitModel

/// Makes and destroys an environment again and again until it is killed, for IsolationTests. Says how many milliseconds the
/// first time took. With CRIU it keeps the memory of one again and again, which may be there already.
///
///     environment-holder KIND|RUNTIME DIRECTORY LAYER RUN [CRIU]
@main
enum EnvironmentHolder {
    static func main() async throws {
        let arguments = CommandLine.arguments
        precondition((5...6).contains(arguments.count), "environment-holder KIND|RUNTIME DIRECTORY LAYER RUN [CRIU]")
        let networks = HostAddresses(IPAddress(v4: 10 << 24 | 77 << 16))
        let backend: any IsolationBackend =
            switch arguments[1] {
            case "process": ProcessBackend(directory: arguments[2])
            case "crun": OCIBackend(directory: arguments[2], networks: networks, runtimes: [.crun])
            case "runc":
                OCIBackend(
                    directory: arguments[2], networks: networks, runtimes: [.runc],
                    criu: Array(arguments.dropFirst(5)))
            default: NamespaceBackend(directory: arguments[2], networks: networks)
            }
        let programs = arguments[0].split(separator: "/").dropLast().map { "/\($0)" }.joined()
        let holdsLimits = await backend.probe().contains {
            $0.feature.hasPrefix("limits of memory") && $0.obstacle == nil
        }
        let specification = EnvironmentSpecification(
            name: "app-1", layers: [arguments[3]], slot: 1, runDirectory: arguments[4],
            tools: EnvironmentTools(
                versionctl: programs + "/versionctl", runtime: nil, agent: programs + "/versionkit-environment"),
            limits: ResourceLimits(tasks: holdsLimits ? 40 : nil))
        let keeps = arguments.count == 6
        let kept = keeps ? try await environment(backend, specification) : nil
        func turn() async throws {
            guard let kept else { return try await cycle(backend, specification) }
            let directory = arguments[2] + "-kept"
            try? FileManager.default.removeItem(atPath: directory)
            _ = try await kept.snapshot(.memory, into: directory)
        }
        let time = try await ContinuousClock().measure { try await turn() }
        print(time / .milliseconds(1))
        fflush(nil)
        while true { try await turn() }
    }

    /// One in which the application serves.
    private static func environment(
        _ backend: some IsolationBackend, _ specification: EnvironmentSpecification
    ) async throws -> any IsolationEnvironment {
        if let adopted = try await backend.adopt(specification) { return adopted }
        try await backend.prepare(specification, keepsData: false)
        let environment = try await backend.create(specification)
        try await environment.start(["/opt/app", "serve", "7000", specification.name])
        return environment
    }

    private static func cycle(
        _ backend: some IsolationBackend, _ specification: EnvironmentSpecification
    ) async throws {
        try await backend.prepare(specification, keepsData: false)
        let environment = try await backend.create(specification)
        try await environment.start(["/opt/app", "away", "7000", "app"])
        try await environment.pause()
        try await environment.resume()
        await environment.stop(.immediate)
        try await backend.destroy(specification.name)
    }
}
