import FoundationEssentials
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses

/// Goal: a node that is a Xen host does with domains what others do with namespaces. Method: a real versiond in dom0, real
/// releases, and clients on another host that use one address and port.
extension ConformanceTests {
    @Suite("A Xen host with versiond")
    struct HostTests {
        @Test(
            """
            an application moves from a domain of version 1 to one of version 2 and back, and no request fails; its \
            domain outlives a crash of versiond
            """)
        func upgrades() async throws {
            let before = try await Traces.before()
            let node = try await XenNode()
            try await node.publish(1)
            try await node.waitUntilServes(1)
            try await reachOutside(node)

            let service = Endpoint(address: XenNode.address, port: XenNode.port)
            let visitor = CounterClient(in: node.outside, of: service)
            #expect(await visitor.ask("set 1") == "done")
            let domain = try await domains()
            try await node.crash()
            try await node.waitUntilServes(1)
            #expect(try await domains() == domain)
            #expect(await visitor.ask("get") == "1 1")

            let client = CounterClient(in: node.outside, of: service, count: 1)
            let load = client.start()
            try await node.publish(2)
            try await node.waitUntilServes(2)
            client.finish()
            let numbers = await load.value
            #expect(numbers.failures == [])
            #expect(numbers.versions == ["1", "2"])
            #expect(await visitor.ask("get") == "2 \(numbers.count)")
            #expect(try await domains().keys.sorted() == ["versionkit-counter-2"])

            try await goBack(node)
            // What was counted during the upgrade is not in the snapshot of before.
            let words = await visitor.ask("get").split(separator: " ")
            #expect(words.first == "1")
            #expect(words.last.flatMap { Int($0) }.map { $0 < numbers.count } == true)
            try await node.stop()
            #expect(try await domains() == [:])
            let deadline = ContinuousClock.now + XenNode.patience
            var left = try await Traces.now()
            while left.hasMore(than: before) {
                try #require(ContinuousClock.now < deadline, "left: \(left), before: \(before)")
                try await Task.sleep(for: .milliseconds(200))
                left = try await Traces.now()
            }
        }

        /// What a domain sends leaves the node as the node's own: there is no way back to a domain from outside.
        private func reachOutside(_ node: XenNode) async throws {
            let server = Endpoint(address: IPAddress("203.0.113.2")!, port: 80)
            try greetOne(in: node.outside, at: server)
            #expect(try await node.exec("reach", "\(server)") == "\(XenNode.address)\n")
        }

        private func goBack(_ node: XenNode) async throws {
            let list = try await node.versionctl("snapshot", "list", "--json")
            let snapshots = try JSONDecoder().decode([SnapshotStatus].self, from: Data(list.utf8))
            let snapshot = try #require(snapshots.first)
            #expect(snapshot.version == 1 && snapshot.kind == .xen && snapshot.reason == "beforeUpgrade")
            try await node.versionctl("rollback", "counter", "--snapshot", snapshot.id)
            try await node.waitUntilServes(1)
        }

        /// The numbers of all domains but dom0, by name.
        private func domains() async throws -> [String: String] {
            let lines = try await Command.run("xl", ["list"]).output.split(separator: "\n").dropFirst(2)
            return Dictionary(
                uniqueKeysWithValues: lines.map { line in
                    let words = line.split(separator: " ").map(String.init)
                    return (words[0], words[1])
                })
        }
    }
}
