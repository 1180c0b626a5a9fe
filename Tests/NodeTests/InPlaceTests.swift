import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: an application that needs no two versions at a time is upgraded, and taken back, by the same commands (R20).
/// Method: real versiond; IrisLog's two versions read the same files.
@Suite("Upgrades in place", .serialized)
struct InPlaceTests {
    private func upper(_ node: FleetNode, _ version: Version, _ kind: IsolationKind = .namespaces) -> String {
        "\(node.directory)/state/environments/\(kind)/irislog-\(version)/upper"
    }

    @Test(
        "the new version has the old one's data and configuration, and by a checkpoint every file that it wrote",
        arguments: [ReleaseManifest.Method.package, .checkpoint], [IsolationKind.namespaces, .oci])
    func upgrade(_ method: ReleaseManifest.Method, in kind: IsolationKind) async throws {
        let fleet = try await TestFleet(hosts: 1, settings: ["\"isolation\": [\"\(kind)\"]"])
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try write("elsewhere", to: upper(node, 1, kind) + "/elsewhere")
        try write("setting", to: upper(node, 1, kind) + "/etc/irislog/local.conf")
        try await node.publish(method == .package ? fleet.releases.package2 : fleet.releases.checkpoint2)
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        #expect(status.version(1)?.state == .retired)
        #expect(status.version(2)?.stages.map(\.stage).contains(.migrate) == false)
        #expect(access(upper(node, 2, kind) + "/etc/irislog/local.conf", F_OK) == 0)
        #expect((access(upper(node, 2, kind) + "/elsewhere", F_OK) == 0) == (method == .checkpoint))
        // Clients saw the pause; what was acknowledged to them is there.
        let numbers = try await load.finish()
        #expect(numbers.lost == 0)
        #expect(try await fleet.load(node, protocol: 2).finish().failed == 0)
    }

    /// Makes a package of IrisLog's programs under another path; its file.
    private func makePackage(_ version: Int, _ releases: TestReleases) async throws -> String {
        let workshop = Workshop(programs: releases.programs, directory: TestReleases.directory)
        let root = "\(TestReleases.directory)/deb-\(version)"
        for path in [root, root + "/DEBIAN"] { try makeDirectory(path) }
        try await workshop.copyPrograms(["irislog\(version)"], to: root + "/opt/irislog-deb")
        try write(
            """
            Package: irislog
            Version: \(version).0-1
            Architecture: amd64
            Maintainer: Nobody <nobody@example.org>
            Description: none

            """, to: root + "/DEBIAN/control")
        let file = "irislog-\(version).deb"
        try await workshop.run(
            "dpkg-deb", ["--root-owner-group", "--build", root, "\(TestReleases.directory)/\(file)"])
        return file
    }

    @Test("a release of Debian packages takes the place of another, and history tells both versions")
    func debianPackages() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        let deb = try await makePackage(2, fleet.releases)
        let release = try await fleet.releases.staging.makeRelease(
            2, retirementPeriod: 300, start: ["/opt/irislog-deb/irislog2", "/etc/irislog"], name: "deb",
            settings: [#""method": "package""#, "\"debs\": [\"\(deb)\"]"])
        try await node.publish(release)
        let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        #expect(status.version(1)?.state == .retired)
        let updates = load.numbers.updates
        try await fleet.wait(for: "another update", on: node) { _ in load.numbers.updates > updates }
        #expect(try await load.finish().lost == 0)
        let history = try await node.versionctl("history", ["irislog", "--json"])
        let known = try JSONDecoder().decode(HistoryStatus.self, from: Data(history.output.utf8))
        #expect(known.upgrades.map(\.version) == [1, 2])
        #expect(known.events.contains { $0.text == "version 1 of irislog serves" })
        #expect(known.events.contains { $0.text == "version 2 of irislog serves" })
        #expect(known.events.contains { $0.text == "version 1 of irislog retired" })
        let back = try await node.versionctl("rollback", ["irislog"])
        #expect(back.exit.isSuccess, "\(back.output)")
        try await fleet.wait(for: "version 1 alone", on: node) { $0.serves(only: 1) && $0.version(1)?.addresses != nil }
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
    }

    @Test(
        "an operator takes the new version away, and the old one serves as it was when it was stopped",
        arguments: [IsolationKind.namespaces, .oci])
    func rollback(in kind: IsolationKind) async throws {
        let fleet = try await TestFleet(hosts: 1, settings: ["\"isolation\": [\"\(kind)\"]"])
        let node = fleet.nodes[0]
        try write("kept", to: upper(node, 1, kind) + "/mark")
        try await node.publish(fleet.releases.package2)
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let application = try #require(ApplicationID(rawValue: "irislog"))
        let answer = try await node.ask(.rollback(application: application))
        guard case .done = answer else {
            Issue.record("\(answer)")
            return
        }
        try await fleet.wait(for: "version 1 alone", on: node) { $0.serves(only: 1) && $0.version(2)?.state == .failed }
        #expect(try String(contentsOfFile: upper(node, 1, kind) + "/mark", encoding: .utf8) == "kept")
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
    }

    @Test(
        "if the new version fails, the old one is started again with everything it had, and the reason is visible",
        arguments: [IsolationKind.namespaces, .oci])
    func failure(in kind: IsolationKind) async throws {
        let fleet = try await TestFleet(hosts: 1, settings: ["\"isolation\": [\"\(kind)\"]"])
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(fleet.releases.crashingPackage2)
        let status = try await fleet.wait(for: "version 1 again", on: node) {
            $0.version(2)?.state == .failed && $0.version(1)?.state == .serving && $0.version(1)?.addresses != nil
                && !ProcessFiles.names("\(node.directory)/state/environments/\(kind)").contains("irislog-2")
        }
        #expect(status.version(2)?.reason?.contains("no disk left") == true)
        // It is the clients who say when it listens.
        let updates = load.numbers.updates
        try await fleet.wait(for: "another update", on: node) { _ in load.numbers.updates > updates }
        let numbers = try await load.finish()
        #expect(numbers.lost == 0)
        #expect(try await fleet.load(node, protocol: 1).finish().failed == 0)
    }
}
