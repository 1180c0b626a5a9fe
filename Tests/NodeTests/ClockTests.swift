import ExampleFleet
import FoundationEssentials
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel

/// Goal: whatever the clock of a node is set to during an upgrade, nothing is decided by it but what expires by a publisher's
/// word. Method: versiond, its proxies and their tools are told a time of day that jumps; the machine's clock stays.
@Suite("Clocks that are set", .serialized)
struct ClockTests {
    /// The clock of one node's programs.
    private struct SetClock {
        static let day = 24 * 3600
        let file: String

        init(_ fleet: Int) { file = "/run/clock-\(fleet)" }

        /// Sets it by so many seconds; 0: right again.
        func set(by seconds: Int) throws { try write("\(seconds)\n", to: file) }

        func environment() throws -> [String: String] { try SetHost.environment([SetHost.clock: file]) }
    }

    /// What is done to the clock of the first of two nodes.
    struct Jump: Sendable, CustomTestStringConvertible {
        let number: Int
        /// How wrong it is when versiond begins.
        var before = 0
        /// How wrong it is then when the upgrade begins, and when the version serves.
        let during: Int
        let after: Int

        var testDescription: String { "\(before) s, \(during) s, \(after) s" }
    }

    static let jumps = [
        Jump(number: 1, during: SetClock.day, after: 0), Jump(number: 2, during: -SetClock.day, after: 0),
        Jump(number: 3, during: SetClock.day, after: -SetClock.day),
        // Begun before it knew the time.
        Jump(number: 4, before: SetClock.day, during: 0, after: 0),
        Jump(number: 5, before: -SetClock.day, during: 0, after: 0),
    ]

    @Test("nodes go on telling each other what serves, upgrade, and retire the old version", arguments: jumps)
    func upgrade(_ jump: Jump) async throws {
        let clock = SetClock(jump.number)
        try clock.set(by: jump.before)
        // By messages alone nodes know here that a peer is there, and forget one that says nothing for long.
        let fleet = try await TestFleet(
            hosts: 2, hasKey: true,
            settings: [
                #""peerSilenceSeconds": 20"#, #""snapshots": { "beforeUpgrade": true, "count": 1, "days": 1 }"#,
            ],
            variables: { try $0 == 0 ? clock.environment() : [:] })
        let (first, second) = (fleet.nodes[0], fleet.nodes[1])
        let loads = [try await fleet.load(first, protocol: 1), try await fleet.load(second, protocol: 1)]
        try clock.set(by: jump.during)
        for node in fleet.nodes {
            try await fleet.wait(for: "a member of the fleet", on: node) { status in
                status.fleet?.received ?? 0 > 0 && status.applications.first?.peers.isEmpty == false
            }
        }
        try await first.publish(fleet.releases.version2)
        try await fleet.wait(for: "a copied state", on: first) { $0.applications.first?.serving.contains(2) == true }
        try clock.set(by: jump.after)
        for node in fleet.nodes { try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) } }
        // The same again, by the clock as it is now.
        try await second.publish(fleet.releases.version3, within: TestFleet.patience)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 3 alone", on: node) { $0.serves(only: 3) }
            #expect(status.fleet?.forgotten == 0)
            if jump.before == 0 { #expect(status.fleet?.refused == [:]) }
        }
        // One that began with a wrong clock is refused by its own time, and taken by that of day.
        let refused = try #require(await second.status()?.fleet?.refused["stale-message", default: 0])
        #expect((refused > 0) == (jump.before != 0))
        // Of one that is kept it is the last, whatever the times were by which they were taken.
        guard case .snapshots(let snapshots) = try await first.ask(.snapshots) else {
            throw FleetError("the first node does not tell its snapshots")
        }
        #expect(snapshots.map(\.version) == [2])
        for load in loads {
            let numbers = try await load.finish()
            #expect(numbers.failed == 0, "\(numbers.reasons)")
            #expect(numbers.lost == 0)
        }
    }
}
