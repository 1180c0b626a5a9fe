import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitJournal
import VersionKitModel
import VersionKitTestbed
import VersionKitUpgrade

/// Goal: wherever the disk becomes full, a version serves, nothing that was acknowledged is lost, the reason is visible, and
/// the upgrade can be done once there is space. Method: as in ``CrashPointTests`` there is a run for each boundary of an
/// undisturbed one. versiond is stopped at it, all that is free is taken, and it goes on.
@Suite("A disk that becomes full before any write of the journal and any effect", .serialized)
struct FullDiskTests {
    /// How many runs go on at a time: most of each is waiting.
    private static let width = 4
    private static let plenty = 1_000_000

    /// What came of an upgrade while the disk was full.
    private enum End: Hashable {
        /// The disk was never full.
        case undisturbed
        /// It was done all the same.
        case done
        case undone
        /// It waits for space.
        case waiting
        /// The old version stays, as what it has cannot be copied once more.
        case kept
        /// versiond ended, as it could not write its journal.
        case ended
    }

    @Test("an upgrade with snapshots is done or undone, and done in the end")
    func everywhere() async throws {
        let (_, count) = try await run(until: nil)
        try #require(count > 20, "\(count) boundaries are too few to be all")
        var ends: [End: Int] = [:]
        try await withThrowingTaskGroup(of: End.self) { group in
            for boundary in 1...count {
                if boundary > Self.width, let end = try await group.next() { ends[end, default: 0] += 1 }
                group.addTask { try await run(until: boundary).end }
            }
            for try await end in group { ends[end, default: 0] += 1 }
        }
        // Nothing would be shown by a disk on which there is always room.
        #expect(ends[.undone, default: 0] > 0 && ends[.done, default: 0] > 0, "\(ends)")
    }

    /// Upgrades a node of its own.
    ///
    /// - Parameter boundary: where the disk becomes full; `nil`: nowhere.
    /// - Returns: what came of it, and how many boundaries were passed.
    private func run(until boundary: Int?) async throws -> (end: End, passed: Int) {
        let fleet = try await TestFleet(
            hosts: 1, settings: [#""snapshots": { "beforeUpgrade": true, "beforeRetirement": true }"#],
            diesAtCrashPoints: true, stateMegabytes: 600)
        let disk = fleet.disks[0]
        let load = try await fleet.load(fleet.nodes[0], protocol: 1)
        try write("\(boundary ?? Self.plenty) \(CrashPoint.pause)\n", to: fleet.nodes[0].crashPoints)
        // A versiond that is stopped answers nobody.
        let asked = Task { [node = fleet.nodes[0], release = fleet.releases.version2] in try await node.publish(release)
        }
        guard try await fill(disk, at: boundary, of: fleet.nodes[0]) else {
            // One run may have fewer boundaries than another, as samples and retries differ.
            try await asked.value
            #expect(try await load.finish().lost == 0)
            return (.undisturbed, Self.plenty - (CrashPoint.left(in: fleet.nodes[0].crashPoints) ?? 0))
        }
        let place = "a disk that is full at \(boundary ?? 0), '\(fleet.nodes[0].crashPoint)'"
        _ = await asked.result
        let end = try await self.end(fleet, with: place)
        try disk.clear()
        if end == .ended {
            let log = RestartedNode(node: fleet.nodes[0]).log
            #expect(log.contains("the journal cannot be written"), "\(place): \(log.suffix(2000))")
            fleet.nodes[0] = try fleet.nodes[0].restarted()
        }
        if end == .kept { try await takeBack(fleet, after: place) }
        try await upgrade(fleet, after: place)
        #expect(try await load.finish().lost == 0, "\(place)")
        return (end, boundary ?? 0)
    }

    /// Makes the disk full when versiond has come to its boundary, and has it go on then.
    ///
    /// - Returns: `false` if the upgrade was done without coming there.
    private func fill(_ disk: SmallDisk, at boundary: Int?, of node: FleetNode) async throws -> Bool {
        let deadline = ContinuousClock.now + TestFleet.patience
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            if boundary != nil {
                group.addTask {
                    while CrashPoint.left(in: node.crashPoints) != 0 || !ProcessFiles.isStopped(node.process.pid) {
                        try await Task.sleep(for: .milliseconds(5))
                    }
                    try disk.fill()
                    node.process.signal(SIGCONT)
                    return true
                }
            }
            // Asked apart from that: a versiond that is stopped answers only when it goes on.
            group.addTask {
                while await node.status()?.serves(only: 2) != true {
                    guard ContinuousClock.now < deadline else {
                        throw FleetError("no end without a full disk: '\(node.crashPoint)'")
                    }
                    try await Task.sleep(for: .milliseconds(20))
                }
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    /// Waits for what comes of an upgrade while the disk is full.
    private func end(_ fleet: TestFleet, with place: String) async throws -> End {
        let node = fleet.nodes[0]
        let deadline = ContinuousClock.now + TestFleet.patience
        var last: NodeStatus?
        while ContinuousClock.now < deadline {
            if node.process.exit != nil { return .ended }
            if let status = await node.status() {
                #expect(status.applications.first?.serving.isEmpty == false, "nobody serves with \(place)")
                if status.serves(only: 2) { return .done }
                let reason = status.version(2)?.reason ?? ""
                if reason.hasPrefix("it waits: the disk has ") { return .waiting }
                if status.version(2)?.lastReport?.failure != nil, status.applications.first?.serving == [1, 2] {
                    return .kept
                }
                if status.serves(only: 1), status.version(2)?.state == .failed {
                    #expect(!reason.isEmpty, "no reason with \(place)")
                    return .undone
                }
                last = status
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw FleetError(
            "no end with \(place): \(last.map(StatusTable.text) ?? "no answer")\n"
                + RestartedNode(node: node).log.suffix(4000))
    }

    /// Takes version 2 away, which keeps nothing any more: IrisLog's log stays failed once it could not be written.
    private func takeBack(_ fleet: TestFleet, after place: String) async throws {
        let node = fleet.nodes[0]
        let application = try #require(ApplicationID(rawValue: Fleet.application))
        guard case .done(_) = try await node.ask(.rollback(application: application)) else {
            throw FleetError("version 2 is not taken away after \(place)")
        }
        try await fleet.wait(for: "version 1 alone after \(place)", on: node) {
            $0.serves(only: 1) && $0.version(2)?.state == .failed
        }
    }

    /// Has version 2 serve alone, now that there is space.
    private func upgrade(_ fleet: TestFleet, after place: String) async throws {
        let node = fleet.nodes[0]
        let status = try await fleet.wait(for: "an answer after \(place)", on: node) {
            $0.applications.first?.serving.isEmpty == false
        }
        if status.version(2)?.state ?? .failed == .failed {
            try await node.publish(fleet.releases.version2, within: TestFleet.patience)
        }
        try await fleet.wait(for: "version 2 alone after \(place)", on: node) { $0.serves(only: 2) }
    }
}
