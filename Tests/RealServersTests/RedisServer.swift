import CLinux
import Glibc
import Synchronization
import VersionKitModel
import VersionKitProcesses

/// A real redis-server on loopback, with its data in a directory of its own.
final class RedisServer: Sendable {
    let endpoint: Endpoint
    let directory: String
    private let process = Mutex<ChildProcess?>(nil)

    /// Starts a server that has persistence, so that it can be killed and started again.
    init() async throws {
        var template = Array("/tmp/versionkit-redis-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        endpoint = try Loopback.freeEndpoint()
        try await start()
    }

    /// Starts it, again with the data that it has, and waits until it answers.
    func start() async throws {
        guard let program = Command.find("redis-server") else {
            throw SystemError("find redis-server (package redis-server)", code: ENOENT)
        }
        let log = open(directory + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(log) }
        var options = ChildProcess.Options()
        options.descriptors = [1: log, 2: log]
        let arguments = [
            "--port", "\(endpoint.port)", "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly",
            "yes",
            "--enable-debug-command", "local",
        ]
        let child = try ChildProcess.spawn(program, arguments, options: options)
        process.withLock { $0 = child }
        try await eventually("redis-server answers") {
            guard let client = try? RedisClient(to: endpoint) else { return false }
            return client.ask("PING") == "PONG"
        }
    }

    /// Ends it without a chance to clean up.
    func kill() async {
        guard let child = process.withLock({ $0 }) else { return }
        child.send(SIGKILL)
        _ = await child.wait()
    }

    func signal(_ number: Int32) { process.withLock { $0 }?.send(number) }

    /// A digest of all it has, in all databases.
    func digest() throws -> String { try RedisClient(to: endpoint).ask("DEBUG", "DIGEST") ?? "lost" }

    deinit {
        process.withLock { $0 }?.send(SIGKILL)
        _ = try? ChildProcess.spawn("/bin/rm", ["-rf", directory])
    }
}

/// Why a test cannot go on.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
}

/// Waits until something is true.
func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while try await !condition() {
        guard clock.now < deadline else { throw TestFailure(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
