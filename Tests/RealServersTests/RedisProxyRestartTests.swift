import Glibc
import NIOPosix
import RedisAdapter
import Testing
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitTransport

@Suite("Redis behind a proxy that is started anew")
struct RedisProxyRestartTests {
    @Test("the newest version is not the truth if it was behind when the proxy before ended, and is mended")
    func newestWasBehind() async throws {
        let (old, new) = (try await RedisServer(), try await RedisServer())
        let table = VersionTable(
            generation: 1, versions: [1, 2], endpoints: [1: old.endpoint, 2: new.endpoint])
        let first = makeProxy(old)
        await first.update(table)
        // The last version that has everything would remain the truth, even down.
        try await expectCalm(first)
        let client = try connect(to: first)
        #expect(client.ask("SET", "a", "1") == "OK")
        await new.kill()
        // The first one finds out, if the proxy did not.
        while client.ask("SET", "a", "2") != "OK" {}
        #expect(client.ask("SET", "b", "3") == "OK")
        await first.handOver { _, _ in false }
        let second = makeProxy(old)
        await second.update(table)
        let again = try connect(to: second)
        #expect(again.ask("GET", "a") == "2")
        try await new.start()
        try await expectCalm(second)
        #expect(again.ask("GET", "a") == "2")
        #expect(again.ask("GET", "b") == "3")
        #expect(try old.digest() == new.digest())
        // Nothing is left for the next one.
        try await eventually("nothing is kept of versions that are up to date") {
            access(old.directory + "/missed/2.1.missed", F_OK) != 0
        }
    }

    private func expectCalm(_ proxy: ProxyServer) async throws {
        try await eventually("both are up to date: \(proxy.counters.fields)") {
            proxy.counters.writes.lag.values.allSatisfy { $0 == 0 }
        }
    }

    /// A proxy whose state is beside a server's.
    private func makeProxy(_ server: RedisServer) -> ProxyServer {
        ProxyServer(
            RedisAdapter(), group: MultiThreadedEventLoopGroup.singleton, state: server.directory + "/missed")
    }

    private func connect(to proxy: ProxyServer) throws -> RedisClient {
        let (listener, endpoint) = try Loopback.listen()
        proxy.listen(descriptor: listener)
        return try RedisClient(to: endpoint)
    }
}
