import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitTestbed

/// Goal: a bad release costs no client anything, and reaches no more nodes than those that try it out. Method: real fleets.
@Suite("Releases that begin on some nodes first", .serialized)
struct SpreadTests {
    /// Nodes that know each other and that clients use.
    private func fleetUnderLoad() async throws -> (fleet: TestFleet, loads: [LoadProcess]) {
        let fleet = try await TestFleet(hosts: 3, hasKey: true)
        var loads: [LoadProcess] = []
        for node in fleet.nodes { loads.append(try await fleet.load(node, protocol: 1)) }
        for node in fleet.nodes {
            try await fleet.wait(for: "a peer", on: node) { $0.applications.first?.peers.isEmpty == false }
        }
        return (fleet, loads)
    }

    /// - Parameter mayFail: whether a version ends by itself, with requests that were on their way to it.
    private func expectNothingLost(_ loads: [LoadProcess], mayFail: Bool = false) async throws {
        for load in loads {
            let numbers = try await load.finish()
            if !mayFail { #expect(numbers.failed == 0, "\(numbers.reasons)") }
            #expect(numbers.lost == 0)
            #expect(numbers.updates > 0)
        }
    }

    @Test("one serves on the node that it was given to, beside the old one, and on all once that node vouches for it")
    func promoted() async throws {
        let (fleet, loads) = try await fleetUnderLoad()
        try await fleet.nodes[0].publish(fleet.releases.tried2)
        for node in fleet.nodes.dropFirst() {
            let waiting = try await fleet.wait(for: "a node that waits", on: node) {
                $0.version(2)?.spread?.role == .waiting
            }
            #expect(waiting.applications.first?.serving == [1])
            #expect(waiting.version(2)?.spread == SpreadStatus(.waiting, vouched: 0, needed: 1))
            #expect(waiting.version(2)?.addresses == nil)
        }
        let canary = try await fleet.wait(for: "the canary", on: fleet.nodes[0]) {
            $0.version(2)?.spread?.role == .canary && $0.applications.first?.serving == [1, 2]
        }
        #expect(canary.version(1)?.addresses != nil)
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
            #expect(status.version(2)?.spread == SpreadStatus(.promoted))
        }
        try await expectNothingLost(loads)
    }

    @Test("one that fails where it is tried out is taken back there, begins nowhere else, and does not come back")
    func failing() async throws {
        let (fleet, loads) = try await fleetUnderLoad()
        try await fleet.nodes[0].publish(fleet.releases.tiring2)
        for node in fleet.nodes.dropFirst() {
            try await fleet.wait(for: "a node that waits", on: node) { $0.version(2)?.spread?.role == .waiting }
        }
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "no version 2", on: node) {
                $0.version(2)?.state == .failed && $0.serves(only: 1)
            }
            #expect(status.version(2)?.spread?.role == .withdrawn)
            #expect(status.version(2)?.reason?.contains("exited with code 4") == true)
        }
        // Whoever has it again hears the same.
        try await fleet.nodes[1].publish(fleet.releases.tiring2, within: TestFleet.patience)
        try await fleet.wait(for: "the same reason", on: fleet.nodes[1]) {
            $0.version(2)?.reason?.hasPrefix("withdrawn by \(fleet.nodes[0].member.addresses[0]): ") == true
        }
        try await expectNothingLost(loads, mayFail: true)
    }

    @Test(
        "an operator withdraws one on any node, all go back to the old version, and a versiond that restarts knows it")
    func withdrawn() async throws {
        let (fleet, loads) = try await fleetUnderLoad()
        try await fleet.nodes[0].publish(fleet.releases.everywhere2)
        for node in fleet.nodes {
            try await fleet.wait(for: "both versions", on: node) { $0.applications.first?.serving == [1, 2] }
        }
        let id = try #require(ApplicationID(rawValue: "irislog"))
        let answer = try await fleet.nodes[2].ask(
            .judge(application: id, version: 2, promotes: false, reason: "slow queries"))
        guard case .done = answer else {
            Issue.record("it was not withdrawn: \(answer)")
            return
        }
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "no version 2", on: node) {
                $0.version(2)?.state == .failed && $0.serves(only: 1)
            }
            #expect(status.version(2)?.reason?.contains("slow queries") == true)
        }
        try await expectNothingLost(loads)
        fleet.nodes[1].process.signal(SIGKILL)
        _ = try await fleet.nodes[1].process.wait()
        fleet.nodes[1] = try fleet.nodes[1].restarted()
        try await fleet.wait(for: "version 1", on: fleet.nodes[1]) {
            $0.serves(only: 1) && $0.version(2)?.spread?.role == .withdrawn
        }
    }

    @Test("one that is withdrawn when the old one has retired goes everywhere, and nothing that was written is lost")
    func withdrawnLate() async throws {
        let (fleet, loads) = try await fleetUnderLoad()
        try await fleet.nodes[0].publish(fleet.releases.version2)
        for node in fleet.nodes { try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) } }
        // What these write only version 2 has had.
        let updates = loads.map(\.numbers.updates)
        for (load, before) in zip(loads, updates) {
            try await fleet.wait(for: "more updates", on: fleet.nodes[0]) { _ in load.numbers.updates > before }
        }
        let id = try #require(ApplicationID(rawValue: "irislog"))
        guard case .done = try await fleet.nodes[1].ask(.judge(application: id, version: 2, promotes: false)) else {
            Issue.record("it was not withdrawn")
            return
        }
        for node in fleet.nodes {
            let status = try await fleet.wait(for: "version 1 alone", on: node) { $0.serves(only: 1) }
            #expect(status.version(2)?.reason?.contains("as the operator wants") == true)
            #expect(status.version(2)?.addresses == nil)
        }
        try await expectNothingLost(loads)
    }
}
