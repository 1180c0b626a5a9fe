import CLinux
import Glibc
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets
import VersionKitUpgrade

/// Whether a version is well, by what its release says of it.
struct HealthCheck: Sendable {
    /// How long one try may take.
    private static let tryLimit = Duration.seconds(5)
    /// The same for a mere connection, which is there at once or was lost.
    private static let connectLimit = Duration.seconds(1)
    /// How much of what a command says is shown, in bytes.
    private static let outputMax = 200

    let check: ReleaseManifest.HealthCheck
    let address: IPAddress
    /// Where commands inside are run.
    let agent: AgentAddress

    /// Returns as soon as a try succeeds.
    ///
    /// - Throws: ``NodeError`` when the time is up; `CancellationError` when the task is cancelled.
    func wait() async throws {
        let deadline = ContinuousClock.now + .milliseconds(check.startupTimeoutMilliseconds)
        var reason = "it was not looked at"
        while ContinuousClock.now < deadline {
            guard let failure = await failure() else { return }
            reason = failure
            try await Task.sleep(for: .milliseconds(check.intervalMilliseconds))
        }
        throw NodeError(
            "the version did not become healthy within \(check.startupTimeoutMilliseconds) ms: \(reason)")
    }

    /// Tries once. Why the version is not well; `nil`: it is.
    func failure() async -> String? {
        switch check.kind {
        case .http: await onThread("health") { requestFailure() }
        case .command: await commandFailure()
        default: await onThread("health") { connectionFailure() }
        }
    }

    // MARK: Kinds

    private func connectionFailure() -> String? {
        withConnection(limit: Self.connectLimit) { _ in nil }
    }

    private func requestFailure() -> String? {
        let path = check.path ?? "/"
        return withConnection(limit: Self.tryLimit) { descriptor in
            let deadline = ContinuousClock.now + Self.tryLimit
            let request = HTTPAnswer.request(path, host: "\(Endpoint(address: address, port: check.port))")
            guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
                return "port \(check.port) took no request"
            }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: HTTPAnswer.bytesMax)
            while ContinuousClock.now < deadline {
                switch HTTPAnswer.read(answer) {
                case .status(let status) where HTTPAnswer.isSuccess(status, wanted: check.status): return nil
                case .status(let status): return "GET \(path) on port \(check.port): status \(status)"
                case .malformed: return "GET \(path) on port \(check.port): what came is not HTTP"
                case .incomplete: break
                }
                let count = recv(descriptor, &buffer, buffer.count - answer.count, 0)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                answer += buffer[..<count]
            }
            return "GET \(path) on port \(check.port): no answer"
        }
    }

    /// Connects, and waits for no step of what `body` does longer than this.
    private func withConnection(limit: Duration, _ body: (Int32) -> String?) -> String? {
        guard let descriptor = try? openSocket(address.family, .stream) else { return "no socket can be had" }
        defer { close(descriptor) }
        let milliseconds = Int(limit / .milliseconds(1))
        var timeout = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        // The first holds for connecting, too.
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connectSocket(descriptor, to: Endpoint(address: address, port: check.port)) else {
            return "nothing accepted a connection to port \(check.port)"
        }
        return body(descriptor)
    }

    private func commandFailure() async -> String? {
        let command = check.command ?? []
        let name = command.joined(separator: " ")
        let connection: ExecConnection
        do throws(IsolationError) {
            guard let opened = try await ExecConnection.open(agent, command) else { return "its environment is gone" }
            connection = opened
        } catch {
            return "\(name): \(error)"
        }
        let limit = Task {
            try await Task.sleep(for: Self.tryLimit)
            // It is hung up.
            connection.close()
        }
        defer { limit.cancel() }
        return await onThread("health") {
            var output: [UInt8] = []
            while let frame = try? connection.next() {
                switch frame {
                case .output(let bytes), .error(let bytes): output = (output + bytes).suffix(Self.outputMax)
                case .exit(0): return nil
                case .exit(let code):
                    return "\(name): exit code \(code)\(lastLine(of: output))"
                case .input, .window, .signal: break
                }
            }
            return "\(name): not done within \(Self.tryLimit)"
        }
    }

    private func lastLine(of output: [UInt8]) -> String {
        String(decoding: output, as: UTF8.self).split(separator: "\n").last.map { ": \($0)" } ?? ""
    }
}
