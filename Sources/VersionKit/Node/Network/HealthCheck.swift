import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses

/// Whether a version answers: a connection to its port is accepted.
enum HealthCheck {
    /// How long one try may take, in milliseconds.
    private static let tryTimeout: Int32 = 1000

    /// Returns as soon as a connection is accepted.
    ///
    /// - Throws: ``NodeError`` when the time is up; `CancellationError` when the task is cancelled.
    static func wait(for endpoint: Endpoint, check: ReleaseManifest.HealthCheck) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .milliseconds(check.startupTimeoutMilliseconds)
        while clock.now < deadline {
            if await isAccepting(endpoint) { return }
            try await Task.sleep(for: .milliseconds(check.intervalMilliseconds))
        }
        throw NodeError(
            "the version did not become healthy: nothing accepted a connection to port \(endpoint.port) within "
                + "\(check.startupTimeoutMilliseconds) ms")
    }

    private static func isAccepting(_ endpoint: Endpoint) async -> Bool {
        await onThread("health") {
            let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(AF_INET, kind, 0)
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            if vk_connect_ipv4(descriptor, endpoint.address.number.bigEndian, endpoint.port.bigEndian) == 0 {
                return true
            }
            guard errno == EINPROGRESS else { return false }
            var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            return poll(&watched, 1, tryTimeout) == 1 && vk_socket_error(descriptor) == 0
        }
    }
}
