import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitProcesses
import VersionKitUpgrade

/// Goal: an upgrade begins when there is room for it, and one that runs out of disk is undone. Method: real versiond with a
/// small disk for its state.
@Suite("Room for upgrades", .serialized)
struct RoomTests {
    /// What is written to the disk meanwhile is less.
    private static let slack: UInt64 = 8 << 20

    /// What version 2 takes on the disk: its layers in the store, their files, and what has to stay free.
    private func need(_ fleet: TestFleet) throws -> UInt64 {
        let bytes = try Data(contentsOf: URL(filePath: fleet.releases.version2 + "/manifest.json"))
        let layers = try JSONDecoder().decode(ReleaseManifest.self, from: bytes).layers
        #expect(layers.allSatisfy { $0.isCompressed })
        return layers.reduce(Admission.diskMarginBytes) { $0 + $1.size + $1.archiveSize }
    }

    @Test("an upgrade waits for space on the disk, says so, and begins when there is some")
    func waits() async throws {
        let fleet = try await TestFleet(hosts: 1, stateMegabytes: 600)
        let node = fleet.nodes[0]
        // The release itself is in the store; there is no space to unpack it.
        let load = try await fleet.load(node, protocol: 1)
        try fleet.disks[0].fill(leaving: need(fleet) - Self.slack)
        try await node.publish(fleet.releases.version2)
        let status = try await fleet.wait(for: "waiting", on: node) { $0.version(2)?.reason != nil }
        let reason = try #require(status.version(2)?.reason)
        #expect(reason.hasPrefix("it waits: the disk has ") && reason.contains("snapshot remove"), "\(reason)")
        #expect(status.version(2)?.stage == .download)
        #expect(status.applications.first?.serving == [1])
        try fleet.disks[0].clear()
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("an upgrade that waits for space is given up by a rollback, and can be asked for again")
    func givenUp() async throws {
        let fleet = try await TestFleet(hosts: 1, stateMegabytes: 600)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try fleet.disks[0].fill(leaving: need(fleet) - Self.slack)
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "waiting", on: node) { $0.version(2)?.reason?.hasPrefix("it waits: ") == true }
        let result = try await node.versionctl("rollback", ["irislog"])
        #expect(result.exit.isSuccess, "\(result.output)")
        let status = try await fleet.wait(for: "version 1 alone", on: node) {
            $0.serves(only: 1) && $0.version(2)?.state == .failed
        }
        #expect(status.version(2)?.reason == "rolled back by the operator")
        #expect(status.version(2)?.stage == .download)
        try fleet.disks[0].clear()
        try await node.publish(fleet.releases.version2, within: TestFleet.patience)
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("an upgrade begins with room for the files of its archives, and none for the archives beside them")
    func files() async throws {
        let fleet = try await TestFleet(hosts: 1, stateMegabytes: 600)
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try fleet.disks[0].fill(leaving: need(fleet) + Self.slack)
        try await node.publish(fleet.releases.version2)
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let history = try await node.versionctl("history", ["irislog"])
        #expect(history.exit.isSuccess && !history.output.contains("waits:"), "\(history.output)")
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    /// What versiond, which sees this file in the place of the kernel's, learns of the memory.
    private func tell(_ file: String, availableMegabytes: Int) throws {
        try write("MemTotal: 16777216 kB\nMemAvailable: \(availableMegabytes << 10) kB\n", to: file)
    }

    @Test("an upgrade waits for memory, says so, and begins when there is some")
    func memory() async throws {
        let file = "/run/room-meminfo"
        try tell(file, availableMegabytes: 8192)
        let variables = try SetHost.environment([SetHost.memory: file])
        let fleet = try await TestFleet(hosts: 1, variables: { _ in variables })
        let node = fleet.nodes[0]
        let load = try await fleet.load(node, protocol: 1)
        try tell(file, availableMegabytes: 1024)
        try await node.publish(fleet.releases.large2)
        let status = try await fleet.wait(for: "waiting", on: node) { $0.version(2)?.reason != nil }
        let reason = try #require(status.version(2)?.reason)
        #expect(reason.hasPrefix("it waits: the memory has 1024 MiB free, and 4128 MiB are needed"), "\(reason)")
        #expect(status.version(2)?.stage == .download)
        #expect(status.applications.first?.serving == [1])
        try tell(file, availableMegabytes: 8192)
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("a journal can be written for a while though its disk is full")
    func journal() throws {
        let directory = "/run/full-journal"
        try #require(mkdir(directory, 0o755) == 0)
        let disk = try SmallDisk(at: directory, megabytes: 16)
        defer { disk.unmount() }
        let journal = try Journal(path: directory + "/journal.sqlite")
        #expect(access(directory + "/journal.sqlite.reserve", F_OK) == 0)
        try disk.fill()
        for number in 1...200 { try journal.note("note \(number)", at: 0) }
        try disk.clear()
        try journal.note("there is space again", at: 0)
        #expect(access(directory + "/journal.sqlite.reserve", F_OK) == 0)
    }
}
