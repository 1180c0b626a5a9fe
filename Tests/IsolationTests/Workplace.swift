import CLinux
import Glibc
import Testing
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// A backend in a directory of its own, for one test, and a layer with the application that is run.
final class Workplace {
    static let patience = Duration.seconds(30)
    static let port: UInt16 = 7000
    /// Where the layer has the application.
    static let application = "/opt/app"

    let directory: String
    let backend: any IsolationBackend
    private let layer: String
    private let answerSeconds: Int

    init(_ tested: TestedBackend) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        var template = Array("/run/isolation-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        layer = directory + "/layer"
        answerSeconds = tested.answerSeconds
        for path in [layer, layer + "/opt", directory + "/run"] { try #require(mkdir(path, 0o755) == 0) }
        let copied = try await Command.run("cp", [try Self.programs() + "/isolation-app", layer + Self.application])
        try #require(copied.exit.isSuccess)
        backend = try await tested.make(directory + "/environments")
    }

    deinit {
        // Environments would go on without the test; what is still wanted, nobody asks for any more.
        let backend = backend
        let directory = directory
        Task {
            for name in (try? await backend.names()) ?? [] { try? await backend.destroy(name) }
            _ = try? await Command.run("rm", ["-rf", directory])
        }
    }

    /// Where the programs are that were built with this test.
    static func programs() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        try #require(readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0)
        let path = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return String(path[..<(try #require(path.lastIndex(of: "/")))])
    }

    func specification(
        _ name: String = "app-1", slot: Int = 1, dataPath: String? = nil, user: StartSettings.User? = nil,
        limits: ResourceLimits = ResourceLimits()
    ) throws -> EnvironmentSpecification {
        let programs = try Self.programs()
        return EnvironmentSpecification(
            name: name, layers: [layer], slot: slot, runDirectory: "\(directory)/run/\(name)",
            tools: EnvironmentTools(
                versionctl: programs + "/versionctl", runtime: nil, agent: programs + "/versionkit-environment"),
            dataPath: dataPath, user: user, limits: limits)
    }

    /// A layer with a file `/opt/code` that has this text.
    func layer(code: String) throws -> String {
        let directory = "\(self.directory)/code-\(code)"
        for path in [directory, directory + "/opt"] { try #require(mkdir(path, 0o755) == 0) }
        let file = try #require(fopen(directory + "/opt/code", "we"))
        fputs(code, file)
        fclose(file)
        return directory
    }

    /// A further layer with nothing in it.
    func emptyLayer() throws -> String {
        let layer = directory + "/further-layer"
        try #require(mkdir(layer, 0o755) == 0)
        return layer
    }

    /// Puts a file that anybody can run below `/usr` into a layer.
    func add(_ text: String, to layer: String, at path: [String]) throws {
        var place = layer
        for name in ["usr"] + path.dropLast() {
            place += "/" + name
            try #require(mkdir(place, 0o755) == 0 || errno == EEXIST)
        }
        place += "/" + (try #require(path.last))
        let file = try #require(fopen(place, "we"))
        fputs(text, file)
        fclose(file)
        try #require(chmod(place, 0o755) == 0)
    }

    /// Prepares and creates an environment.
    func created(
        _ specification: EnvironmentSpecification, keepsData: Bool = false
    ) async throws -> any IsolationEnvironment {
        try await backend.prepare(specification, keepsData: keepsData)
        return try await backend.create(specification)
    }

    /// An environment in which the application serves.
    func serving(
        _ specification: EnvironmentSpecification, keepsData: Bool = false, as what: String = "serve",
        file: String = "/data"
    ) async throws -> any IsolationEnvironment {
        let environment = try await created(specification, keepsData: keepsData)
        try await serve(environment, specification, as: what, file: file)
        return environment
    }

    /// Has the application serve in an environment that is there.
    func serve(
        _ environment: any IsolationEnvironment, _ specification: EnvironmentSpecification, as what: String = "serve",
        file: String = "/data", settings: StartSettings? = nil
    ) async throws {
        try await environment.start(
            VersionStart(
                [Self.application, what, "\(Self.port)", specification.name, file], settings: settings,
                dataPath: specification.dataPath))
        try await self.wait(for: "\(specification.name) to serve") {
            self.ask("name", environment) == specification.name
        }
    }

    /// The application's answer; `nil` if there is none in time.
    func ask(
        _ line: String, _ environment: any IsolationEnvironment, port: UInt16 = port, within seconds: Int? = nil
    ) -> String? {
        let endpoint = Endpoint(address: environment.addresses.primary, port: port)
        guard let descriptor = try? openSocket(endpoint.address.family, .stream) else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: seconds ?? answerSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connectSocket(descriptor, to: endpoint) else { return nil }
        let bytes = Array((line + "\n").utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &answer, answer.count, Int32(MSG_WAITALL))
        guard count > 0 else { return nil }
        return String(decoding: answer[..<count], as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }

    /// A conversation with the application that takes a few thousand bytes and waits for nobody.
    ///
    /// - Returns: the caller's to close.
    func openSlowly(_ environment: any IsolationEnvironment, asking line: String) throws -> Int32 {
        let endpoint = Endpoint(address: environment.addresses.primary, port: Self.port)
        let descriptor = try openSocket(endpoint.address.family, .stream)
        var bytes: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        try #require(connectSocket(descriptor, to: endpoint))
        let question = Array((line + "\n").utf8)
        try #require(send(descriptor, question, question.count, Int32(MSG_NOSIGNAL)) == question.count)
        try #require(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        return descriptor
    }

    /// Waits until nothing is left of the environments that were made since then.
    func waitForNoTrace(since before: Traces) async throws {
        var now = before
        do {
            try await wait(for: "no trace") {
                now = try await Traces.now()
                return !now.hasMore(than: before)
            }
        } catch {
            Issue.record("left: \(now), before: \(before)")
            throw error
        }
    }

    /// Waits until something is so.
    func wait(for what: String, until isSo: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while try await !isSo() {
            try #require(ContinuousClock.now < deadline, "waited in vain for \(what)")
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
