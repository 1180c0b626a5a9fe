import Testing
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

/// What nodes might say.
enum Statuses {
    static func application() throws -> ApplicationID { try #require(ApplicationID(rawValue: "irislog")) }

    static func node(_ versions: [VersionStatus], peers: [String: [Version]] = [:]) throws -> NodeStatus {
        NodeStatus(
            node: try #require(NodeID(rawValue: "n1")), addresses: HostAddresses(IPAddress(v4: 1)),
            applications: [
                ApplicationStatus(
                    application: try application(), versions: versions,
                    proxy: ProxyStatus(requests: 100, failed: 1, connections: 2, refused: 0), peers: peers)
            ],
            router: RouterStatus(
                outbound: 3, inbound: 2, plain: 0, control: 1, bytes: 4096, refused: [:],
                kernel: KernelStatus(kind: "ebpf", missing: [:], directPorts: 4, routes: 6, failures: 0)),
            restart: RestartStatus(number: 1, pauseMicroseconds: 21_000))
    }

    static func version(
        _ version: Version, _ state: VersionStatus.State, _ stage: UpgradeStage? = nil, reason: String? = nil,
        messages: UInt64 = 0
    ) -> VersionStatus {
        VersionStatus(
            version: version, state: state, stage: stage, reason: reason, addresses: nil, stages: [], migration: nil,
            writes: nil, peerMessages: messages)
    }

    /// A version whose state is copied.
    static func upgrading() throws -> NodeStatus {
        var version = version(2, .upgrading, .migrate, messages: 17)
        version.stages = [StageTime(stage: .download, startedAt: 1, milliseconds: 812)]
        version.migration = MigrationProgress(examined: 10, copied: 3)
        version.writes = WriteStatus(
            missing: 1, queued: 1, queuedBytes: 64, compared: 10, copied: 2, diverged: 0, trouble: nil)
        return try node([version])
    }

    static func traffic() throws -> TrafficStatus {
        TrafficStatus(
            application: try application(), version: 2, peer: "10.99.1.2", transport: .tcp, path: "relay",
            connections: 1, messages: 20, bytesOut: 900, bytesIn: 800)
    }
}
