import Testing
import VersionKitControl
import VersionKitModel
import VersionKitRouter
import VersionKitSwarm

@testable import VersionKitNode

/// Goal: who is asked for a release that it has hands it on. Method: a node's part in swarms, with a store and libtorrent on
/// loopback; nobody tells it what runs there.
@Suite("Handing releases on")
struct HandOnTests {
    private let bench: ReleaseBench
    private let local: IPAddress

    init() throws {
        bench = try ReleaseBench()
        local = try #require(IPAddress("127.0.0.1"))
    }

    private func release(_ version: Version) -> NodeSwarm.Release { .init(bench.application, version) }

    @Test("a release that is asked for is handed on at once if all of it is here, also before it is known to run")
    func asked() async throws {
        let store = try bench.store("node")
        let swarm = NodeSwarm(SwarmOptions(addresses: [local], port: 0), store: store)
        defer { swarm.close() }
        let asker = Endpoint(address: local, port: 7000)
        #expect(swarm.introduce(asker, to: release(1), isStuck: false).isEmpty)
        try await bench.publish(1, [[UInt8](repeating: 7, count: 400_000)], in: store, isCompressing: false)
        // That it was not here is no reason for ever.
        let own = try #require(swarm.introduce(asker, to: release(1), isStuck: false).first)
        #expect(own.address == local && own.port == swarm.status.port)
        #expect(swarm.introduce(asker, to: release(1), isStuck: false) == [own])
        #expect(swarm.status.releases == 1)
        // It stays when nothing runs: somebody is about to fetch it.
        #expect(swarm.handOn(running: []).isEmpty)
        #expect(swarm.status.releases == 1)
    }

    @Test("why nothing is handed on is told once, also if somebody asked before")
    func trouble() async throws {
        let store = try bench.store("node")
        try await bench.publish(1, [[UInt8](repeating: 7, count: 400_000)], in: store, isCompressing: false)
        // An address that no interface here has.
        let elsewhere = try #require(IPAddress("192.0.2.1"))
        let swarm = NodeSwarm(SwarmOptions(addresses: [elsewhere], port: 7001), store: store)
        defer { swarm.close() }
        let asker = Endpoint(address: local, port: 7000)
        #expect(swarm.introduce(asker, to: release(1), isStuck: false).isEmpty)
        let troubles = swarm.handOn(running: [release(1)])
        #expect(troubles.count == 1 && troubles.allSatisfy { $0.contains("7001") }, "\(troubles)")
        #expect(swarm.handOn(running: [release(1)]).isEmpty)
    }
}
