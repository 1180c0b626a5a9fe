import Glibc
import NIOCore
import NIOPosix
public import VersionKitModel
public import VersionKitProxy

/// The whole of an application proxy's executable, but for the adapter:
///
/// ```swift
/// @main
/// struct MemcachedProxy {
///     static func main() async throws { try await ProxyProcess.run(MemcachedAdapter()) }
/// }
/// ```
///
/// `versiond` starts it from the newest release, gives it the listening socket and the list of versions over a socket
/// of its own, and has it hand its clients over when a newer release brings a newer proxy.
public enum ProxyProcess {
    /// The descriptor on which `versiond` speaks to a proxy.
    public static let controlDescriptor: Int32 = 3

    /// The environment variable with the directory in which a proxy keeps what versions miss. `versiond` gives all proxies
    /// of an application the same one.
    public static let stateVariable = "VERSIONKIT_PROXY_STATE"

    /// Runs a proxy until `versiond` ends it or a newer proxy has taken all clients over. With a ``KeyedAdapter`` state is
    /// migrated, caught up and compared key by key.
    ///
    /// With arguments it runs by itself, for trying out and measuring an adapter (`--help` lists them).
    @inlinable
    public static func run<Adapter: MessageAdapter>(
        _ adapter: Adapter, limits: Limits = .standard, security: (any ClientSecurity)? = nil
    ) async throws {
        try await run(ProxyService(adapter, limits: limits), security: security)
    }

    /// Runs a proxy at the papers' height: `makeCallbacks` makes the callbacks of one client connection.
    @inlinable
    public static func run<Callbacks: ProxyCallbacks>(
        limits: Limits = .standard, security: (any ClientSecurity)? = nil,
        makeCallbacks: @escaping @Sendable () -> Callbacks
    ) async throws {
        try await run(ProxyService(limits: limits, makeCallbacks: makeCallbacks), security: security)
    }

    /// Runs a service as a proxy.
    public static func run(_ service: ProxyService, security: (any ClientSecurity)? = nil) async throws {
        signal(SIGPIPE, SIG_IGN)
        let standalone = StandaloneProxy(CommandLine.arguments)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: standalone?.threads ?? usualThreads)
        let directory = standalone?.state ?? getenv(stateVariable).map { String(cString: $0) }
        var limits = service.limits
        limits.copiedKeysPerSecond =
            MigrationRate { getenv($0).map { String(cString: $0) } }.recordsPerSecond ?? limits.copiedKeysPerSecond
        if let time = standalone?.busyPollTime { limits.busyPollTime = time }
        let server = ProxyServer(
            group: group, limits: limits, clientVersion: nil, access: service.makeAccess(group),
            state: directory, security: security, now: WallClock.milliseconds, makeCallbacks: service.makeCallbacks)
        ProxyLog.note("what a version misses is kept \(directory.map { "in \($0)" } ?? "in memory only")")
        if let standalone { try await standalone.run(server) }
        guard fcntl(controlDescriptor, F_GETFD) >= 0 else {
            throw ProxyError(
                .unsupported,
                "a proxy is started by versiond, which passes it descriptor \(controlDescriptor), or by hand: see --help",
                side: .proxy, isRetrySafe: false)
        }
        try await converse(server, ControlSocket(descriptor: controlDescriptor), group)
        try await group.shutdownGracefully()
    }

    /// The versions want the other half of the processors; and the fewer threads, the more clients share a connection.
    static var usualThreads: Int { max(1, System.coreCount / 2) }

    private static func converse(
        _ server: ProxyServer, _ control: ControlSocket, _ group: any EventLoopGroup
    ) async throws {
        // Unbounded, but versiond sends one message per change and waits for the answer.
        let (received, continuation) = AsyncStream.makeStream(of: ControlSocket.Received.self)
        control.start { continuation.yield($0) }
        try control.send(.ready)
        let reports = CounterReports(of: server, to: control, on: group.any())
        defer { reports.stop() }
        reports.send()
        for await event in received {
            guard case .message(let message, let descriptor) = event else { break }
            if case .handOver = message {
                await handOver(server, control)
                break
            }
            try await obey(message, descriptor, server, control)
            // What the numbers say is of the new list from here on.
            reports.send()
        }
    }

    private static func obey(
        _ message: ProxyControl, _ descriptor: Int32?, _ server: ProxyServer, _ control: ControlSocket
    ) async throws {
        switch (message, descriptor) {
        case (.listen(let port), let descriptor?): server.listen(descriptor: descriptor, versionPort: port)
        case (.close, let descriptor?): server.close(descriptor: descriptor)
        case (.connection(let rest), let descriptor?): server.adopt(descriptor, rest)
        case (.versions(let table), nil):
            await server.update(table)
            try control.send(.applied(generation: table.generation))
        default:
            // Not for a proxy: a versiond of another generation. What it sent is not kept open.
            if let descriptor { close(descriptor) }
        }
    }

    private static func handOver(
        _ server: ProxyServer, _ control: ControlSocket
    ) async {
        await server.handOver { socket, rest in
            do {
                try control.send(.connection(rest), descriptor: socket)
                return true
            } catch {
                return false
            }
        }
        // If this cannot be sent, versiond is gone, and so is whoever would wait for it.
        try? control.send(.counters(server.counters))
        try? control.send(.handedOver)
    }
}
