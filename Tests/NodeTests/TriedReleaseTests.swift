import ExampleFleet
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: whoever speaks for or against a release that is tried out, an operator or a node, is heard by all, and clients never
/// notice. Method: real fleets, versionctl, and releases that turn out to be bad in several ways.
@Suite("Releases that are tried out, and what is said of them", .serialized)
struct TriedReleaseTests {
    /// Nodes that know each other, with clients at each.
    private func fleetUnderLoad(_ hosts: Int) async throws -> (fleet: TestFleet, loads: [LoadProcess]) {
        let fleet = try await TestFleet(hosts: hosts, hasKey: true)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        return (fleet, loads)
    }

    private func expectNothingLost(_ loads: [LoadProcess]) async throws {
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    /// Gives the first node a release, and waits until it tries it out and all others wait.
    private func tryOut(_ release: String, in fleet: TestFleet) async throws {
        try await fleet.nodes[0].publish(release)
        for node in fleet.nodes.dropFirst() {
            try await fleet.wait(for: "a node that waits", on: node) {
                $0.version(2)?.spread?.role == .waiting && $0.version(2)?.stage == .prepareFileSystem
            }
        }
        try await fleet.wait(for: "the canary", on: fleet.nodes[0]) {
            $0.version(2)?.spread?.role == .canary && $0.applications.first?.serving == [1, 2]
        }
    }

    @Test("versionctl promote on a node that waits has all nodes begin")
    func promote() async throws {
        let (fleet, loads) = try await fleetUnderLoad(3)
        try await tryOut(fleet.releases.held2, in: fleet)
        let result = try await fleet.nodes[2].versionctl("promote", ["irislog", "2"])
        #expect(result.exit.isSuccess && result.output.contains("is promoted"), "\(result.output)")
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
            #expect(status.version(2)?.spread == SpreadStatus(.promoted))
        }
        try await expectNothingLost(loads)
        let refused = try await fleet.nodes[0].versionctl("promote", ["irislog", "1"])
        #expect(refused.exit == .code(1))
        #expect(refused.output.contains("does not ask to be tried out first"), "\(refused.output)")
    }

    @Test("versionctl withdraw on a node that waits takes it back where it is tried out, and it begins nowhere")
    func withdraw() async throws {
        let (fleet, loads) = try await fleetUnderLoad(3)
        try await tryOut(fleet.releases.held2, in: fleet)
        let result = try await fleet.nodes[2].versionctl("withdraw", ["irislog", "2", "--reason", "slow queries"])
        #expect(result.exit.isSuccess && result.output.contains("is withdrawn"), "\(result.output)")
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 1 alone", on: node) {
                $0.serves(only: 1) && $0.version(2)?.state == .failed && $0.version(2)?.addresses == nil
            }
            #expect(status.version(2)?.spread?.role == .withdrawn)
            #expect(status.version(2)?.reason?.contains("slow queries") == true, "\(status.version(2)?.reason ?? "")")
            let began = status.version(2)?.stages.contains { $0.stage == .createEnvironment } == true
            #expect(began == (node.member.name == fleet.nodes[0].member.name), "\(node.member.name)")
        }
        try await expectNothingLost(loads)
    }

    /// How a release turns out to be bad where it is tried out.
    enum Fault: String, CaseIterable {
        case health, writes, migration

        /// Part of the reason that all nodes show.
        var reason: String {
            switch self {
            case .health: "its disk is slow"
            case .writes: "it did not do "
            case .migration: "in no language that anybody knows"
            }
        }

        func release(_ staging: ReleaseStaging) async throws -> String {
            let spread = ReleaseStaging.spread(percent: 0, milliseconds: 60_000)
            switch self {
            case .health:
                // It does not ask to be looked at later; who tries it out does so all the same.
                return try await staging.makeRelease(
                    2, retirementPeriod: 300, start: BadRelease.sick.start(after: 4), name: "tried-\(rawValue)",
                    health: [BadRelease.checked], settings: [spread])
            case .writes:
                // From some kilobytes on its disk takes nothing more.
                return try await staging.makeRelease(
                    2, retirementPeriod: 300,
                    start: [
                        "/bin/bash", "-c",
                        "trap '' XFSZ; ulimit -f 32; exec /opt/irislog/irislog2 /etc/irislog",
                    ], name: "tried-\(rawValue)", settings: [spread])
            case .migration:
                return try await staging.makeRelease(
                    2, retirementPeriod: 300, name: "tried-\(rawValue)", settings: [spread],
                    migrator: "failing-migrate")
            }
        }
    }

    @Test(
        "one that is found to be bad where it is tried out is taken back there, and begins nowhere",
        arguments: Fault.allCases)
    func bad(_ fault: Fault) async throws {
        let (fleet, loads) = try await fleetUnderLoad(2)
        try await fleet.nodes[0].publish(fault.release(fleet.releases.staging))
        let status = try await fleet.wait(for: "no version 2", on: fleet.nodes[0]) {
            $0.version(2)?.state == .failed && $0.serves(only: 1) && $0.version(2)?.addresses == nil
        }
        #expect(status.version(2)?.spread?.role == .withdrawn)
        #expect(
            status.version(2)?.reason?.contains(fault.reason) == true, "\(status.version(2)?.reason ?? "no reason")")
        // Who hears of the withdrawal before the release never asks for that.
        let other = try await fleet.wait(for: "word of it", on: fleet.nodes[1]) { status in
            status.serves(only: 1)
                && RestartedNode(node: fleet.nodes[1]).log.contains("version 2 of irislog is withdrawn by")
        }
        #expect(other.version(2).map { $0.state == .failed } ?? true)
        #expect(other.version(2)?.stages.contains { $0.stage == .createEnvironment } != true)
        try await expectNothingLost(loads)
    }

    @Test(
        "as many nodes begin as it asks for, by its rank at each, and all others when as many vouch for it as it asks for"
    )
    func percentAndPromotions() async throws {
        let percent = 50
        let (fleet, loads) = try await fleetUnderLoad(4)
        let release = try await fleet.releases.staging.makeRelease(
            2, retirementPeriod: 300, name: "half",
            settings: [
                """
                "spread": { "canaryPercent": \(percent), "observationMilliseconds": 600000, "promotions": 2 }
                """
            ])
        let digest = try ReleaseDirectory(release).manifestDigest
        try await fleet.nodes[0].publish(release)
        for (index, node) in fleet.nodes.enumerated() {
            let isFirst = digest.rank(of: node.member.name).multipliedFullWidth(by: 100).high < percent || index == 0
            try await fleet.wait(for: isFirst ? "both versions" : "a node that waits", on: node) { status in
                status.version(2)?.spread == SpreadStatus(isFirst ? .canary : .waiting, vouched: 0, needed: 2)
                    && status.applications.first?.serving == (isFirst ? [1, 2] : [1])
            }
        }
        let first = try await fleet.nodes[0].versionctl("promote", ["irislog", "2"])
        #expect(first.exit.isSuccess && first.output.contains("as 2 nodes have to"), "\(first.output)")
        for node in fleet.nodes {
            try await fleet.wait(for: "one that vouches", on: node) { $0.version(2)?.spread?.vouched == 1 }
        }
        // The same node counts once.
        _ = try await fleet.nodes[0].versionctl("promote", ["irislog", "2"])
        #expect(await fleet.nodes[0].status()?.version(2)?.spread?.vouched == 1)
        let second = try await fleet.nodes[3].versionctl("promote", ["irislog", "2"])
        #expect(second.exit.isSuccess, "\(second.output)")
        for node in fleet.nodes { try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) } }
        try await expectNothingLost(loads)
    }

    @Test("an application's first version is tried out, too, and vouched for")
    func firstVersion() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true, version1: \.tried1)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "a promotion", on: node) {
                $0.version(1)?.spread?.role == .promoted && $0.serves(only: 1)
            }
            #expect(status.version(1)?.state == .serving)
        }
        #expect(try await fleet.load(fleet.nodes[0], protocol: 1).finish().failed == 0)
    }

    @Test("a release that waits for its promotion keeps no other application's from beginning")
    func givesItsPlace() async throws {
        let fleet = try await TestFleet(hosts: 2, hasKey: true, settings: ["\"upgradesMax\": 1"], others: ["lines"])
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        try await tryOut(fleet.releases.held2, in: fleet)
        let workshop = Workshop(programs: fleet.releases.programs, directory: TestReleases.directory)
        try await workshop.copyPrograms(["ports-service"], to: "\(TestReleases.directory)/files-lines/opt/lines")
        let lines = try await workshop.makeRelease(
            "lines",
            description: """
                {
                  "application": "lines", "version": 1,
                  "ports": { "peer": [7400] }, "files": "files-lines",
                  "start": ["/opt/lines/ports-service", "serve", "1", "7400"],
                  "health": { "port": 7400, "intervalMilliseconds": 50 }
                }

                """)
        for node in fleet.nodes {
            try await node.publish(lines)
            let status = try await fleet.wait(for: "the other application", on: node) { status in
                status.applications.first { $0.application.rawValue == "lines" }?.serving == [1]
            }
            #expect(
                status.version(2)?.spread?.role == (node.member.name == fleet.nodes[0].member.name ? .canary : .waiting)
            )
        }
        _ = try await fleet.nodes[0].versionctl("promote", ["irislog", "2"])
        for node in fleet.nodes {
            try await fleet.wait(for: "version 2", on: node) { $0.applications.first?.serving == [2] }
        }
        try await expectNothingLost([load])
    }
}
