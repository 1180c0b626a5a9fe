import Testing
import VersionKitKernel
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// A flow of datagrams between two versions, each on its registered port, is moved from the slow path to the fast one and
/// back while it runs.
///
/// Goal: nothing is lost, and everything comes from the other's address. Method: ``DatagramFlow``.
@Suite("Moving datagrams between the paths")
struct NFTablesMovingTests {
    @Test("a flow moves at once, both ways, and nothing is lost", arguments: IPAddress.Family.allCases, [true, false])
    func moving(_ family: IPAddress.Family, isFirstToLearn: Bool) async throws {
        let hosts = try NFTablesHosts(family)
        let version = NFTablesHosts.version(family)
        _ = (try await hosts.a.intercept([.udp(7000)]), try await hosts.b.intercept([.udp(7000)]))
        let (a, b) = (try hosts.a.path(), try hosts.b.path())
        let (relayA, relayB) = (
            try DatagramTunnel(hosts.a, hosts.b.address), try DatagramTunnel(hosts.b, hosts.a.address)
        )
        defer { withExtendedLifetime((relayA, relayB)) {} }
        try a.open(DirectPort(10_001, for: .udp(7000), of: version), interface: "vk0")
        try b.open(DirectPort(10_002, for: .udp(7000), of: version), interface: "vk0")
        let toB = DirectRoute(from: version, to: hosts.b.address, port: .udp(7000))
        let toA = DirectRoute(from: version, to: hosts.a.address, port: .udp(7000))
        let learnAtA = { try a.learn(toB, to: 10_002) }
        let learnAtB = { try b.learn(toA, to: 10_001) }
        let changes: [() throws -> Void] = [
            isFirstToLearn ? learnAtA : learnAtB, isFirstToLearn ? learnAtB : learnAtA,
            { try a.forget(toB) }, { try b.forget(toA) }, learnAtB, learnAtA, learnAtA, { try b.forget(toA) },
            { try a.forget(toB) },
        ]
        let flow = try DatagramFlow(hosts.a, hosts.b)
        defer { flow.stop() }
        let (task, steps) = flow.start()
        var step = steps.makeAsyncIterator()
        // Each change comes when some thousand datagrams more came back, and while more of them come.
        for change in changes {
            await step.next()
            try change()
        }
        await step.next()
        flow.stop()
        var outcome = try await task.value
        #expect(outcome.missing.isEmpty)
        // Before a node has learnt whose direct port a peer's is, its version sees that; answers to it that are still under
        // way when the name is learnt come from any port.
        outcome.sources[7000] = nil
        outcome.sources[10_002] = nil
        #expect(outcome.sources.values.reduce(0, +) <= DatagramFlow.window)
        let carried = try #require(try a.traffic().first)
        #expect(carried.packetsOut > 0)
        #expect(carried.packetsIn > 0)
        // Both ways were used.
        #expect(carried.packetsOut < outcome.count)
    }
}
