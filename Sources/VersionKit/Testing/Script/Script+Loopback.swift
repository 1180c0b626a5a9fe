import NIOCore
import NIOPosix
public import VersionKitModel
import VersionKitProcesses
public import VersionKitProxy
import VersionKitTransport

extension Script {
    /// Carries the conversation out with a real proxy on loopback, real clients and scripted versions on real sockets.
    ///
    /// Lines that only a proxy's inside could tell (those marked "in memory only") are left out, as are expectations that
    /// nothing came. Nobody waits for longer than ``Loopback/timeout``.
    ///
    /// - Throws: ``VerificationFailure`` with the line, what was expected and what came.
    public func runOverLoopback<Adapter: MessageAdapter>(
        _ adapter: Adapter, limits: Limits = .standard
    ) async throws {
        let stage = try LoopbackStage(adapter, limits: limits)
        for (line, step) in steps {
            do {
                switch step {
                case .versions(let list): try await stage.change(list)
                case .caughtUp(let version): try await stage.waitUntilUpToDate(version)
                default: try await tryOnThread("script") { try stage.perform(step) }
                }
            } catch let failure as VerificationFailure {
                throw VerificationFailure("\(name):\(line) (over loopback): \(failure)")
            }
        }
    }
}

/// The sockets of a script.
private final class LoopbackStage: Sendable {
    private struct Link: Hashable {
        var client: String
        var version: Version
    }

    private struct State {
        var table = VersionTable()
        var listeners: [Version: LoopbackListener] = [:]
        var clients: [String: LoopbackStream] = [:]
        var links: [Link: LoopbackStream] = [:]
    }

    private let server: ProxyServer
    /// Whether versions get what they missed.
    private let replays: Bool
    private let front: LoopbackListener
    private let state = LockedState(State())

    init<Adapter: MessageAdapter>(_ adapter: Adapter, limits: Limits) throws {
        let group = MultiThreadedEventLoopGroup.singleton
        replays = !(adapter is any KeyedAdapter)
        // With keys, the proxy's own connections would bring what no script says: without them it has none.
        server =
            replays
            ? ProxyServer(adapter, group: group, limits: limits)
            : ProxyServer(group: group, limits: limits) { AnyProxyCallbacks(MessageProxy(adapter, limits: limits)) }
        front = try LoopbackListener()
        server.listen(descriptor: front.takeDescriptor())
    }

    func perform(_ step: Script.Step) throws {
        switch step {
        case .clientSays(let client, let bytes): try stream(of: client).send(bytes)
        case .clientHears(let client, let expected): try stream(of: client).expect(expected, as: client)
        case .clientClosed(let client): try stream(of: client).expectEnd(of: client)
        case .versionSays(let version, let client, let bytes): try link(version, client).send(bytes)
        case .versionHears(let version, let client, let expected):
            guard expected.readableBytes > 0 else { return }
            try link(version, client).expect(expected, as: "version \(version)")
        case .versionLost(let version, let client):
            try link(version, client).close()
            state.withLock { $0.links[Link(client: client, version: version)] = nil }
        case .versionClosed(let version, let client):
            try link(version, client).expectEnd(of: "version \(version)")
            state.withLock { $0.links[Link(client: client, version: version)] = nil }
        case .clientLeaves(let client): try stream(of: client).close()
        case .missedReplay(let version, let expected):
            if replays { try link(version, Script.proxy).expect(expected, as: "version \(version)") }
        case .versions, .behind, .caughtUp, .unlike, .missedCopy, .missedNothing, .needed, .diverged, .failed: break
        }
    }

    func change(_ list: VersionList) async throws {
        let table = try state.withLock { state in
            for version in list where state.listeners[version] == nil {
                let listener = try LoopbackListener()
                state.listeners[version] = listener
                state.table.endpoints[version] = listener.endpoint
            }
            state.table.versions = list
            state.table.generation += 1
            return state.table
        }
        // Requests that go by the older list may be under way until later lines of the script.
        _ = await server.announce(table)
    }

    /// Returns when the proxy has brought to a version all that it missed.
    func waitUntilUpToDate(_ version: Version) async throws {
        let deadline = ContinuousClock.now + .seconds(Loopback.timeout)
        while let missing = server.counters.writes.lag[version], missing > 0 {
            guard ContinuousClock.now < deadline else {
                throw VerificationFailure("version \(version) still misses \(missing) writes")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func stream(of client: String) throws -> LoopbackStream {
        if let known = state.withLock({ $0.clients[client] }) { return known }
        let stream = try LoopbackStream(to: front.endpoint)
        state.withLock { $0.clients[client] = stream }
        return stream
    }

    /// The proxy's connection to a version, on behalf of a client or its own: the next one that comes, if it is not known
    /// yet.
    private func link(_ version: Version, _ client: String) throws -> LoopbackStream {
        let key = Link(client: client, version: version)
        if let known = state.withLock({ $0.links[key] }) { return known }
        guard let listener = state.withLock({ $0.listeners[version] }) else {
            throw VerificationFailure("version \(version) does not run")
        }
        let stream = try listener.accept()
        state.withLock { $0.links[key] = stream }
        return stream
    }
}
