import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import NIOCore
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade
import VersionKitWire

/// Goal: nothing that a peer advertises is run, or fetched in bulk, because that peer says so: the old version serves, and status
/// says why. Method: a whole node with clients, and a stranger that offers releases that are wrong in one way each.
@Suite("Releases that peers advertise and nobody should run", .serialized)
struct HostileReleaseTests {
    @Test(
        "the old version serves on, status says why, and no more is asked for than was needed to see it",
        arguments: StrangeRelease.allCases)
    func advertised(_ release: StrangeRelease) async throws {
        let fleet = try await TestFleet(hosts: 1, bareHosts: ["stranger"])
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        let stranger = Stranger(host: try #require(fleet.testbed["stranger"]))
        let application = try #require(ApplicationID(rawValue: "irislog"))
        let router = try StrangeRouter(
            on: stranger.host, port: Stranger.peerPort, for: application, release.offer(fleet.releases))
        let header = VersionHeader(application: application, sender: 1, advertised: 2).encoded()
        _ = try stranger.exchange(Array(header.readableBytesView) + Array("ASK 0 1+1\n".utf8), with: node)
        let status = try await fleet.wait(for: "refusal", on: node) { $0.version(2)?.state == .failed }
        let version = try #require(status.version(2))
        #expect(version.reason?.contains(release.reason) == true, "\(version.reason ?? "no reason")")
        #expect(version.stage == .download || (version.stage == .prepareFileSystem && !release.isSeenInManifest))
        #expect(status.applications.first?.serving == [1])
        #expect(router.asked.contains("manifest"))
        if release.isSeenInManifest { #expect(Set(router.asked) == ["manifest"]) }
        #expect(access("/run/climbed", F_OK) != 0)
        #expect(ProcessFiles.names("\(node.directory)/state/environments/namespaces") == ["irislog-1"])
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }
}
