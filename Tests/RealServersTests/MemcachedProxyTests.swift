import CLinux
import Glibc
import MemcachedAdapter
import NIOPosix
import Synchronization
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

/// A real memcached on loopback.
private final class MemcachedServer: Sendable {
    let endpoint: Endpoint
    private let process: ChildProcess

    init() async throws {
        guard let program = Command.find("memcached") else {
            throw SystemError("find memcached (package memcached)", code: ENOENT)
        }
        endpoint = try Loopback.freeEndpoint()
        let user = getuid() == 0 ? ["-u", "root"] : []
        process = try ChildProcess.spawn(program, ["-l", "127.0.0.1", "-p", "\(endpoint.port)", "-U", "0"] + user)
        let endpoint = endpoint
        try await eventually("memcached answers") {
            guard let client = try? MemcachedClient(to: endpoint) else { return false }
            return client.ask("version")?.hasPrefix("VERSION") == true
        }
    }

    deinit { process.send(SIGKILL) }
}

/// A blocking client of memcached.
private final class MemcachedClient: Sendable {
    private let connection: RedisClient

    init(to endpoint: Endpoint) throws(SystemError) { connection = try RedisClient(to: endpoint) }

    /// Sends a request and says that it was the last one; the lines of the reply, until the connection is closed.
    func askLast(_ line: String) -> [String] {
        connection.send(line + "\r\nquit\r\nversion\r\n")
        return Array(sequence(state: connection) { $0.line() })
    }

    /// Sends a line, and returns the first line of the reply.
    func ask(_ line: String) -> String? {
        connection.send(line + "\r\n")
        return connection.line()
    }

    /// The value of a key, or `nil` if there is none.
    func get(_ key: String) -> String? {
        guard ask("get " + key)?.hasPrefix("VALUE") == true else { return nil }
        defer { _ = connection.line() }
        return connection.line()
    }
}

/// The tutorial's adapter, between a real client and real servers.
@Suite("memcached behind a proxy", .serialized)
struct MemcachedProxyTests {
    @Test("a server that is put back as it was gets what was written since")
    func putBack() async throws {
        let (old, new) = (try await MemcachedServer(), try await MemcachedServer())
        let proxy = ProxyServer(MemcachedAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        let endpoints: [Version: Endpoint] = [1: old.endpoint, 2: new.endpoint]
        func serve(_ generation: UInt64, _ versions: [Version: VersionList.Role]) async {
            var list = VersionList()
            for (version, role) in versions { list.insert(version, role: role) }
            await proxy.update(VersionTable(generation: generation, versions: list, endpoints: endpoints))
        }
        await serve(1, [1: .full, 2: .full])
        let (listener, endpoint) = try Loopback.listen()
        proxy.listen(descriptor: listener)
        let client = try MemcachedClient(to: endpoint)
        for key in ["a", "b", "c"] { #expect(client.ask("set \(key) 0 0 3\r\nold") == "STORED") }
        try await eventually("both have everything") { proxy.counters.writes.lag.values.allSatisfy { $0 == 0 } }
        await serve(2, [1: .logged, 2: .full])
        #expect(client.ask("set a 0 0 3\r\nnew") == "STORED")
        #expect(client.ask("delete b") == "DELETED")
        #expect(try MemcachedClient(to: old.endpoint).get("b") == "old")
        await serve(3, [1: .replaying, 2: .full])
        try await eventually("the old server has everything") { proxy.counters.writes.lag[1, default: 0] == 0 }
        await serve(4, [1: .settling, 2: .full])
        try await eventually("nothing is under way") { proxy.counters.writes.settled[1] == 1 }
        await serve(5, [1: .full, 2: .writesOnly])
        await serve(6, [1: .full])
        #expect(client.get("a") == "new")
        #expect(client.get("b") == nil)
        #expect(client.get("c") == "old")
        #expect(proxy.counters.writes.diverged.isEmpty)
    }

    @Test("a server is filled while clients write, and then takes over; what is quiet stays quiet")
    func upgrade() async throws {
        let (old, new) = (try await MemcachedServer(), try await MemcachedServer())
        let direct = try MemcachedClient(to: old.endpoint)
        for number in 0..<500 { #expect(direct.ask("set key\(number) 7 1000 5\r\nvalue") == "STORED") }
        let proxy = ProxyServer(MemcachedAdapter(), group: MultiThreadedEventLoopGroup.singleton)
        let endpoints: [Version: Endpoint] = [1: old.endpoint, 2: new.endpoint]
        await proxy.update(VersionTable(generation: 1, versions: [1], endpoints: endpoints))
        let (listener, endpoint) = try Loopback.listen()
        proxy.listen(descriptor: listener)
        let client = try MemcachedClient(to: endpoint)
        #expect(client.get("key1") == "value")

        var filling: VersionList = [1]
        filling.insert(2, role: .filling)
        await proxy.update(VersionTable(generation: 2, versions: filling, endpoints: endpoints))
        for number in stride(from: 0, to: 500, by: 5) {
            #expect(client.ask("delete key\(number)") == "DELETED")
            #expect(client.ask("append key\(number + 1) 0 0 1\r\n+") == "STORED")
        }
        #expect(client.ask("set quiet 0 0 1 noreply\r\nq\r\nincr none 1") == "NOT_FOUND")
        try await eventually("the new server has everything: \(proxy.counters.fields)") {
            proxy.counters.writes.lag.values.allSatisfy { $0 == 0 }
        }
        await proxy.update(VersionTable(generation: 3, versions: [2], endpoints: endpoints))
        #expect(client.get("key0") == nil)
        #expect(client.get("key1") == "value+")
        #expect(client.get("key2") == "value")
        #expect(client.get("quiet") == "q")
        #expect(client.askLast("get key1") == ["VALUE key1 7 6", "value+", "END"])
        try await eventually("the proxy has closed its connection") { proxy.counters.connections == 0 }
        #expect(proxy.counters.failed == 0)
        #expect(proxy.counters.refused == 0)
        #expect(proxy.counters.writes.diverged.isEmpty)
    }
}
