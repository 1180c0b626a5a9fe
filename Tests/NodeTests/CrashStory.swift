import ExampleFleet
import FoundationEssentials
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// What operators do with one fleet, at which of its nodes versiond is killed meanwhile, and what is to come of it in the end.
struct CrashStory: Sendable {
    var name: String
    var application = CrashApplication.irislog
    var hosts = 1
    /// The node whose versiond is killed.
    var victim = 0
    var hasKey = false
    var settings: [String] = []
    /// The version that is to remain, and no other one.
    var survivor: Version = 2
    /// Whether the versions run one after the other: then there is a time without any.
    var isInPlace = false
    /// Whether the machine is switched off, rather than versiond killed.
    var reboots = false
    /// Whether operators ask for the loss of what was written before: clients come before that, and again at the end.
    var forgets = false
    /// What versiond does last of all.
    var lastBoundary = ""
    /// What operators do before anything counts.
    var prepare: @Sendable (FleetNode) async throws -> Void = { _ in }
    /// The first moment whose boundaries count.
    var begins: @Sendable (NodeStatus) -> Bool = { _ in true }
    /// Whether what is still to come is another story's.
    var isElsewhere: @Sendable (NodeStatus) -> Bool = { _ in false }
    /// Whether the victim has come to the end.
    var isOver: @Sendable (NodeStatus) -> Bool = { $0.serves(only: 2) && $0.version(1)?.state == .retired }
    /// What operators do next, as often as they are asked.
    var act: @Sendable (TestFleet, NodeStatus) async throws -> Void
}

extension CrashStory {
    private static let application = ApplicationID(rawValue: "irislog")

    /// Gives the victim a release, if it has none yet.
    private static func publish(
        _ release: @escaping @Sendable (TestReleases) -> String
    ) -> @Sendable (TestFleet, NodeStatus) async throws -> Void {
        { fleet, status in
            if status.version(2) == nil { try await fleet.nodes[0].publish(release(fleet.releases)) }
        }
    }

    private static let isTakenBack: @Sendable (NodeStatus) -> Bool = {
        $0.serves(only: 1) && $0.version(2)?.state == .failed && $0.version(1)?.addresses != nil
            && $0.version(2)?.reason?.isEmpty == false
    }

    private static let servesBoth: @Sendable (NodeStatus) -> Bool = { $0.applications.first?.serving == [1, 2] }

    private static let isWaiting: @Sendable (NodeStatus) -> Bool = {
        $0.version(2)?.spread?.role == .waiting && $0.version(2)?.stage == .prepareFileSystem
    }

    static let upgrade = CrashStory(
        name: "upgrade", settings: [#""snapshots": { "beforeUpgrade": true, "beforeRetirement": true }"#],
        act: publish(\.version2))

    /// The same without a migrator: the proxy copies key by key.
    static let keyed = CrashStory(
        name: "keyed", application: .redis,
        act: { fleet, status in
            guard status.version(2) == nil else { return }
            try await fleet.nodes[0].publish(RedisStoryReleases.shared.value.version2)
        })

    static let reboot = CrashStory(name: "reboot", reboots: true, act: publish(\.version2))

    static let failure = CrashStory(
        name: "failure", survivor: 1, lastBoundary: "version 2 is undone", isOver: isTakenBack,
        act: publish(\.crashing2))

    static let inPlace = CrashStory(name: "in place", isInPlace: true, act: publish(\.package2))

    static let failureInPlace = CrashStory(
        name: "failure in place", survivor: 1, isInPlace: true, lastBoundary: "version 2 is undone",
        isOver: isTakenBack, act: publish(\.crashingPackage2))

    static let rollback = CrashStory(
        name: "rollback", survivor: 1, lastBoundary: "version 2 is undone", begins: servesBoth, isOver: isTakenBack,
        act: { fleet, status in
            if status.version(2) == nil { return try await fleet.nodes[0].publish(fleet.releases.lasting2) }
            guard servesBoth(status), let application else { return }
            _ = try await fleet.nodes[0].ask(.rollback(application: application))
        })

    /// The old version retires with a log that goes on, and an operator goes back to it with what was written since.
    static let retirement = CrashStory(
        name: "retirement", survivor: 1, lastBoundary: "version 2 is undone", isOver: isTakenBack, act: goBackWithLog)

    /// The same, from the moment in which there is something to go back to.
    static let replay = CrashStory(
        name: "replay", survivor: 1, lastBoundary: "version 2 is undone",
        begins: { $0.serves(only: 2) && $0.version(1)?.replay?.snapshot != nil }, isOver: isTakenBack,
        act: goBackWithLog)

    private static let goBackWithLog: @Sendable (TestFleet, NodeStatus) async throws -> Void = { fleet, status in
        if status.version(2) == nil { return try await fleet.nodes[0].publish(fleet.releases.replaying2) }
        guard status.serves(only: 2), let application, let replay = status.version(1)?.replay else { return }
        #expect(replay.failure == nil)
        guard let snapshot = replay.snapshot else { return }
        _ = try await fleet.nodes[0].ask(.restore(application: application, snapshot: snapshot))
    }

    /// The second node fetches what the first one was given.
    static let download = CrashStory(
        name: "download", hosts: 2, victim: 1, hasKey: true,
        isElsewhere: { $0.version(2).map { $0.stage != .download } ?? false },
        act: { fleet, _ in
            guard let origin = await fleet.nodes[0].status(), origin.version(2) == nil else { return }
            try await fleet.nodes[0].publish(fleet.releases.version2)
        })

    /// A node tries a release out, vouches for it, and goes on.
    static let canary = CrashStory(
        name: "canary", hasKey: true, begins: { servesBoth($0) && $0.version(2)?.spread?.role == .canary },
        act: publish(\.tried2))

    /// A node waits for the promotion of a release that another one tries out.
    static let waiting = CrashStory(
        name: "waiting", hosts: 2, victim: 1, hasKey: true,
        begins: isWaiting,
        isElsewhere: { $0.version(2)?.addresses != nil },
        act: { fleet, status in
            guard let origin = await fleet.nodes[0].status() else { return }
            if origin.version(2) == nil { return try await fleet.nodes[0].publish(fleet.releases.held2) }
            guard isWaiting(status), servesBoth(origin), let application else { return }
            _ = try await fleet.nodes[0].ask(.judge(application: application, version: 2, promotes: true))
        })

    /// A version that serves alone is withdrawn, and the one before it comes back with all that was written.
    static let withdrawal = CrashStory(
        name: "withdrawal", hasKey: true, survivor: 1,
        begins: { $0.serves(only: 2) && $0.version(1)?.state == .retired },
        isOver: {
            $0.serves(only: 1) && $0.version(2)?.addresses == nil
                && $0.version(2)?.reason?.contains("slow queries") == true
        },
        act: { fleet, status in
            if status.version(2) == nil { return try await fleet.nodes[0].publish(fleet.releases.version2) }
            guard status.serves(only: 2), status.version(1)?.state == .retired,
                status.version(2)?.spread?.role != .withdrawn, let application
            else { return }
            _ = try await fleet.nodes[0].ask(
                .judge(application: application, version: 2, promotes: false, reason: "slow queries"))
        })

    /// An operator goes back to what was kept of the old version when it retired.
    static let snapshot = CrashStory(
        name: "snapshot", settings: [#""snapshots": { "beforeRetirement": true }"#], survivor: 1, forgets: true,
        lastBoundary: "version 2 is undone",
        begins: { $0.serves(only: 2) && $0.version(1)?.state == .retired },
        isOver: isTakenBack,
        act: { fleet, status in
            if status.version(2) == nil { return try await fleet.nodes[0].publish(fleet.releases.version2) }
            guard status.serves(only: 2), status.version(1)?.state == .retired, let application,
                case .snapshots(let list) = try await fleet.nodes[0].ask(.snapshots),
                let last = list.last(where: { $0.version == 1 })
            else { return }
            _ = try await fleet.nodes[0].ask(.restore(application: application, snapshot: last.id))
        })

    /// An operator puts the version that serves back to what was kept of it. At no time it runs with anything else than all of
    /// that, or all of its own.
    static let snapshotInPlace = CrashStory(
        name: "snapshot in place", survivor: 1, forgets: true, lastBoundary: "version 1 of irislog runs again",
        prepare: { node in
            guard let application else { return }
            _ = try await node.ask(.snapshot(application: application))
            try write("later", to: node.mark)
        },
        isOver: { $0.serves(only: 1) && $0.version(1)?.addresses != nil },
        act: { fleet, status in
            let node = fleet.nodes[0]
            guard status.version(1)?.addresses != nil, let application,
                case .snapshots(let list) = try await node.ask(.snapshots), let snapshot = list.first
            else { return }
            let mark = try? String(contentsOfFile: node.mark, encoding: .utf8)
            #expect(mark == "kept" || mark == "later", "after '\(node.crashPoint)'")
            guard mark == "later" else { return }
            _ = try await node.ask(.restore(application: application, snapshot: snapshot.id))
        })
}

extension FleetNode {
    /// What version 1 has on disk for a test, out of its environment's file system.
    var mark: String { "\(directory)/state/environments/namespaces/irislog-1/upper/mark" }
}
