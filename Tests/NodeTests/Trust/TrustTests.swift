import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import NIOCore
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitTestbed
import VersionKitUpgrade
import VersionKitWire

/// What nodes do that have a root pinned; the rules themselves are tested where `TrustState` is.
@Suite("Nodes with a pinned root", .serialized)
struct TrustTests {
    private func trust(_ status: NodeStatus) -> TrustStatus? { status.applications.first?.trust }

    private func refusal(_ node: FleetNode, _ release: String) async throws -> String {
        guard case .refused(let message) = try await node.ask(.publish(directory: release)) else {
            throw FleetError("\(release) was accepted")
        }
        return message
    }

    @Test("a withdrawal given to one node takes the version away on all, the old one serves, and no update is lost")
    func withdrawal() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true, hasRoot: true)
        let publishers = try #require(fleet.publishers)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        try await publishers.offer(fleet.releases.lasting2)
        try await publishers.publish(to: fleet.nodes[0])
        try await fleet.nodes[0].publish(fleet.releases.lasting2)
        for node in fleet.nodes {
            try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
            loads.append(try await fleet.load(node, protocol: 2))
        }
        try await publishers.withdraw(2, reason: "loses writes")
        try await publishers.publish(to: fleet.nodes[1])
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 1 alone", on: node) {
                $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil
                    && $0.applications.first?.serving == [1]
            }
            #expect(status.version(2)?.reason == "withdrawn by its publishers: loses writes")
            #expect(trust(status)?.withdrawn == [2])
            #expect(trust(status)?.channel == 4)
            #expect(trust(status)?.trouble == [])
            #expect(try await refusal(node, fleet.releases.lasting2).contains("the channel does not offer"))
        }
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.failed == 0, "\(numbers.reasons)")
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    @Test("a node that was down learns of a withdrawal from the first router it meets, without a fleet key, too")
    func wasDown() async throws {
        let fleet = try await TestFleet(hosts: 2, hasRoot: true)
        let publishers = try #require(fleet.publishers)
        try await publishers.offer(fleet.releases.lasting2)
        for node in fleet.nodes {
            try await publishers.publish(to: node)
            try await node.publish(fleet.releases.lasting2)
        }
        for node in fleet.nodes {
            try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        }
        fleet.nodes[1].process.kill()
        _ = try await fleet.nodes[1].process.wait()
        try await publishers.withdraw(2, reason: "loses writes")
        try await publishers.publish(to: fleet.nodes[0])
        try await fleet.wait(for: "version 1 alone", on: fleet.nodes[0]) { $0.version(2)?.state == .failed }
        let again = try fleet.nodes[1].restarted()
        fleet.nodes[1] = again
        try await fleet.wait(for: "both versions again", on: again) { $0.version(2)?.addresses != nil }
        let load = try await fleet.load(again, protocol: 1)
        try await fleet.wait(for: "version 1 alone", on: again) {
            $0.version(2)?.state == .failed && $0.applications.first?.serving == [1]
        }
        #expect(try await load.finish().lost == 0)
    }

    @Test("with an expired channel what runs goes on and nothing begins, status says so, and a fresh one mends it")
    func frozen() async throws {
        let fleet = try await TestFleet(hosts: 1, hasRoot: true)
        let (node, publishers) = (fleet.nodes[0], try #require(fleet.publishers))
        try await publishers.offer(fleet.releases.version2, expires: "0s")
        try await publishers.publish(to: node)
        #expect(try await refusal(node, fleet.releases.version2).contains("has expired"))
        let status = try await fleet.wait(for: "the trouble", on: node) { trust($0)?.trouble.isEmpty == false }
        #expect(status.serves(only: 1))
        #expect(trust(status)?.trouble.first?.contains("channel 3 has expired") == true)
        #expect(StatusTable.text(of: status).contains("nothing new begins"))
        // A crash does not make it valid again, and what ran is started.
        node.process.kill()
        _ = try await node.process.wait()
        let again = try node.restarted()
        fleet.nodes[0] = again
        try await fleet.wait(for: "version 1 after a crash", on: again) {
            $0.serves(only: 1) && $0.version(1)?.addresses != nil && trust($0)?.channel == 3
        }
        #expect(try await refusal(again, fleet.releases.version2).contains("has expired"))
        try await publishers.renew(expires: "1d")
        try await publishers.publish(to: again)
        try await again.publish(fleet.releases.version2)
        let done = try await fleet.wait(for: "version 2 alone", on: again) { $0.serves(only: 2) }
        #expect(trust(done)?.trouble == [])
    }

    /// Two nodes, of which one tries version 2 out and the other waits.
    private func fleetWithCanary() async throws -> TestFleet {
        let fleet = try await TestFleet(hosts: 2, hasKey: true, hasRoot: true)
        let publishers = try #require(fleet.publishers)
        // Whoever uses a node has it meet the other.
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        _ = try await load.finish()
        try await publishers.offer(fleet.releases.held2)
        for node in fleet.nodes { try await publishers.publish(to: node) }
        try await fleet.nodes[0].publish(fleet.releases.held2)
        try await fleet.wait(for: "the canary", on: fleet.nodes[0]) { $0.applications.first?.serving == [1, 2] }
        try await fleet.wait(for: "a node that waits", on: fleet.nodes[1]) {
            $0.version(2)?.spread?.role == .waiting && $0.version(2)?.stage == .prepareFileSystem
        }
        return fleet
    }

    private func promote(on node: FleetNode) async throws {
        let id = try #require(ApplicationID(rawValue: "irislog"))
        guard case .done = try await node.ask(.judge(application: id, version: 2, promotes: true)) else {
            throw FleetError("it was not promoted")
        }
    }

    @Test(
        "what expired while a node waited for a promotion holds it back, status says so, and a fresh channel mends it")
    func expiredWhileWaiting() async throws {
        let fleet = try await fleetWithCanary()
        let (waiting, publishers) = (fleet.nodes[1], try #require(fleet.publishers))
        let load = try await fleet.load(waiting, protocol: 1)
        try await publishers.renew(expires: "0s")
        for node in fleet.nodes { try await publishers.publish(to: node) }
        try await promote(on: fleet.nodes[0])
        let status = try await fleet.wait(for: "the reason", on: waiting) { $0.version(2)?.reason != nil }
        #expect(status.version(2)?.spread?.role == .promoted)
        #expect(status.version(2)?.stage == .prepareFileSystem)
        #expect(status.version(2)?.addresses == nil)
        let reason = try #require(status.version(2)?.reason)
        #expect(reason.hasPrefix("it waits: channel 4 has expired"), "\(reason)")
        #expect(status.applications.first?.serving == [1])
        // What ran goes on.
        let canary = try #require(await fleet.nodes[0].status())
        #expect(canary.applications.first?.serving == [1, 2])
        try await publishers.renew(expires: "1d")
        try await publishers.publish(to: waiting)
        for node in fleet.nodes { try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) } }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("what only a key signed that was revoked while a node waited does not begin there, and status says why")
    func revokedWhileWaiting() async throws {
        let fleet = try await fleetWithCanary()
        let (waiting, publishers) = (fleet.nodes[1], try #require(fleet.publishers))
        try await publishers.revokeReleaseKey(on: waiting)
        // Signed by the other key, too, so it counts on.
        try await publishers.renew(expires: "1d")
        try await publishers.publish(to: waiting)
        try await promote(on: fleet.nodes[0])
        let status = try await fleet.wait(for: "the reason", on: waiting) { $0.version(2)?.state == .failed }
        #expect(status.version(2)?.reason?.contains("signed by") == true, "\(status.version(2)?.reason ?? "")")
        #expect(status.serves(only: 1))
        #expect(try await fleet.load(waiting, protocol: 1).finish().failed == 0)
    }

    @Test("a release with a good signature, but not the manifest that the channel names, is not taken")
    func mixed() async throws {
        let fleet = try await TestFleet(hosts: 1, hasRoot: true)
        let (node, publishers) = (fleet.nodes[0], try #require(fleet.publishers))
        #expect(try await refusal(node, fleet.releases.version2).contains("the channel does not offer this manifest"))
        try await publishers.offer(fleet.releases.lasting2)
        try await publishers.publish(to: node)
        #expect(try await refusal(node, fleet.releases.version2).contains("the channel does not offer this manifest"))
        let older = publishers.channel + ".older"
        try await publishers.versionctl("channel", "make", "--application", "irislog", "--expires", "1d", older)
        for key in publishers.keys { try await publishers.versionctl("channel", "sign", older, "--key", key) }
        guard case .refused(let reason) = try await node.ask(.publishChannel(file: older)) else {
            Issue.record("an older channel was accepted")
            return
        }
        #expect(reason.contains("does not follow channel 3"))
        let status = try #require(await node.status())
        #expect(status.serves(only: 1))
        #expect(trust(status)?.refused == ["older-document": 1])
    }

    @Test("a withdrawn version that is alone goes for the snapshot of the older one")
    func backToSnapshot() async throws {
        let fleet = try await TestFleet(
            hosts: 1, hasRoot: true, settings: [#""snapshots": { "beforeRetirement": true, "count": 5 }"#])
        let (node, publishers) = (fleet.nodes[0], try #require(fleet.publishers))
        try await publishers.offer(fleet.releases.version2)
        try await publishers.publish(to: node)
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        try await publishers.withdraw(2, reason: "loses writes")
        try await publishers.publish(to: node)
        let status = try await fleet.wait(for: "version 1", on: node) {
            $0.serves(only: 1) && $0.version(2)?.addresses == nil
        }
        #expect(status.version(2)?.reason == "withdrawn by its publishers: loses writes")
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
    }

    @Test("a key that was revoked by the next root signs nothing any more, on any node")
    func revoked() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true, hasRoot: true)
        let publishers = try #require(fleet.publishers)
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        try await publishers.revokeReleaseKey(on: fleet.nodes[0])
        for node in fleet.nodes {
            try await fleet.wait(for: "root 2", on: node) { trust($0)?.root == 2 }
        }
        try await publishers.offer(fleet.releases.version2)
        try await publishers.publish(to: fleet.nodes[1])
        #expect(try await refusal(fleet.nodes[1], fleet.releases.version2).contains("signed by"))
        for node in fleet.nodes {
            try await fleet.wait(for: "the channel", on: node) { trust($0)?.offered == [1, 2] && $0.serves(only: 1) }
        }
        #expect(try await load.finish().failed == 0)
    }

    @Test("with a fleet key a stranger's adverts are counted and nothing else; from a member they count")
    func strangers() async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["stranger"], hasKey: true)
        let node = fleet.nodes[0]
        let stranger = Stranger(host: try #require(fleet.testbed["stranger"]))
        let application = try #require(ApplicationID(rawValue: "irislog"))
        // The same header is no news for a second, so each advertises another version.
        func advertise(_ version: Version) throws {
            let header = VersionHeader(application: application, sender: 1, advertised: version).encoded()
            _ = try stranger.exchange(Array(header.readableBytesView) + Array("ASK 0 1+1\n".utf8), with: node)
        }
        for version in [2, 3, 4] as [Version] { try advertise(version) }
        let status = try await fleet.wait(for: "the count", on: node) { $0.fleet?.strangersAdverts == 3 }
        #expect(status.applications.first?.versions.map(\.version) == [1])
        let key = try FleetKey(contentsOf: fleet.fleetKey)
        let message = try stranger.message([1], to: node)
        #expect(try stranger.tell(message.line(code: key.code(of: message.signedText)), to: node) == "ok")
        try await fleet.wait(for: "the message", on: node) { $0.fleet?.received == 1 }
        try advertise(5)
        try await fleet.wait(for: "a try to fetch it", on: node) { $0.version(5)?.stage == .download }
    }
}
