import ExampleFleet
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitUpgrade

/// Goal: an upgrade begins when there is room for it, and one that runs out of disk is undone. Method: real versiond with a
/// small disk for its state.
@Suite("Room for upgrades", .serialized)
struct RoomTests {
    /// Fills a disk, but for so many bytes.
    private func fill(_ directory: String, leaving bytes: UInt64 = 0) throws {
        var status = statvfs()
        try #require(statvfs(directory, &status) == 0)
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        let file = open(directory + "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        guard free > bytes else { return }
        // The node writes meanwhile: what cannot be had at one stroke is taken in ever smaller parts.
        var (offset, size) = (0, Int(free - bytes))
        while size >= 4096 {
            if posix_fallocate(file, offset, size) == 0 { offset += size }
            size = bytes == 0 ? size / 2 : 0
        }
    }

    @Test("an upgrade waits for space on the disk, says so, and begins when there is some")
    func waits() async throws {
        let fleet = try await TestFleet(hosts: 1, stateMegabytes: 600)
        let node = fleet.nodes[0]
        let state = node.directory + "/state"
        // The release itself is in the store; there is no space to unpack it.
        let load = try await fleet.load(node, protocol: 1)
        try fill(state, leaving: 90 << 20)
        try await node.publish(fleet.releases.version2)
        let status = try await fleet.wait(for: "waiting", on: node) { $0.version(2)?.reason != nil }
        let reason = try #require(status.version(2)?.reason)
        #expect(reason.hasPrefix("it waits: the disk has ") && reason.contains("snapshot remove"), "\(reason)")
        #expect(status.version(2)?.stage == .download)
        #expect(status.applications.first?.serving == [1])
        unlink(state + "/filler")
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
    }

    @Test("a journal can be written for a while though its disk is full")
    func journal() throws {
        let directory = "/run/full-journal"
        try #require(mkdir(directory, 0o755) == 0)
        try #require(mount("tmpfs", directory, "tmpfs", 0, "size=16m") == 0)
        defer { umount2(directory, Int32(MNT_DETACH)) }
        let journal = try Journal(path: directory + "/journal.sqlite")
        #expect(access(directory + "/journal.sqlite.reserve", F_OK) == 0)
        try fill(directory)
        for number in 1...200 { try journal.note("note \(number)", at: 0) }
        unlink(directory + "/filler")
        try journal.note("there is space again", at: 0)
        #expect(access(directory + "/journal.sqlite.reserve", F_OK) == 0)
    }

    @Test("a disk that becomes full in the middle undoes the upgrade, and a later one succeeds", arguments: 0..<8)
    func fullDisk(_ part: Int) async throws {
        let fleet = try await TestFleet(hosts: 1, diesAtCrashPoints: true, stateMegabytes: 600)
        let node = fleet.nodes[0]
        let state = node.directory + "/state"
        let load = try await fleet.load(node, protocol: 1)
        // Some forty boundaries come before the version serves.
        let passed = 1 + part * 5
        try write("\(1_000_000)\n", to: node.crashPoints)
        try await node.publish(fleet.releases.version2)
        let deadline = ContinuousClock.now + TestFleet.patience
        while CrashPoint.left(in: node.crashPoints) ?? 1_000_000 > 1_000_000 - passed {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(1))
        }
        try fill(state)
        let status = try await fleet.wait(for: "an end, with a full disk", on: node) {
            $0.serves(only: 2) || $0.serves(only: 1) && $0.version(2)?.state == .failed
                || $0.version(2)?.reason?.hasPrefix("it waits") == true
        }
        #expect(status.applications.first?.serving.isEmpty == false)
        if status.version(2)?.state == .failed { #expect(status.version(2)?.reason?.isEmpty == false) }
        unlink(state + "/filler")
        if status.version(2)?.state == .failed {
            try await node.publish(fleet.releases.version2, within: TestFleet.patience)
        }
        try await fleet.wait(for: "version 2 alone", on: node) { $0.serves(only: 2) }
        #expect(try await load.finish().lost == 0)
    }
}
