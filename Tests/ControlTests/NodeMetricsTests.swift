import Testing
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

@Suite("Metrics of a node")
struct NodeMetricsTests {
    @Test("every number has a type, a name as Prometheus wants it, and comes once")
    func strict() throws {
        let text = NodeMetrics.text(of: try Statuses.upgrading(), traffic: [try Statuses.traffic()])
        let families = try MetricsReader.read(text)
        #expect(families.keys.allSatisfy { $0.hasPrefix("versionkit_") })
        for (name, value) in [
            "versionkit_proxy_requests_total": 100, "versionkit_router_relayed_bytes_total": 4096,
            "versionkit_stage_seconds": 0.812, "versionkit_restart_pause_seconds": 0.021,
            "versionkit_migration_copied_records": 3, "versionkit_kernel_routes": 6,
            "versionkit_version_missing_writes": 1,
            "versionkit_version_queued_writes": 1,
            "versionkit_version_queued_bytes": 64,
            "versionkit_version_compared_keys": 10,
            "versionkit_version_copied_keys": 2,
        ] {
            #expect(families[name]?.samples.map(\.value) == [value], "\(name)")
        }
    }

    @Test("a version has one state, and others are 0")
    func states() throws {
        let families = try MetricsReader.read(NodeMetrics.text(of: try Statuses.upgrading(), traffic: []))
        let states = try #require(families["versionkit_version_state"]).samples
        #expect(states.count == VersionStatus.State.allCases.count)
        #expect(states.filter { $0.value == 1 }.map { $0.labels["state"] } == ["upgrading"])
    }

    @Test("what is dropped is there by its reason, whatever letters that has")
    func reasons() throws {
        let reason = "a \"strange\\ reason\nof two lines"
        var status = try Statuses.upgrading()
        status.router.refused = [reason: 2]
        let text = NodeMetrics.text(of: status, traffic: [], refused: ["HTTP 401": 3])
        let families = try MetricsReader.read(text)
        let label = try #require(families["versionkit_router_refused_total"]?.samples.first?.labels["reason"])
        #expect(label == #"a \"strange\\ reason\nof two lines"#)
        #expect(families["versionkit_control_refused_total"]?.samples.map(\.value) == [3])
    }

    @Test("how far layers are is there, and what a node does for others that fetch them")
    func swarm() throws {
        var status = try Statuses.upgrading()
        status.swarm = SwarmStatus(bytesSent: 7, wrongPieces: 2)
        status.applications[0].versions[0].download = DownloadStatus(way: .direct, bytes: 1, bytesWanted: 3)
        let families = try MetricsReader.read(NodeMetrics.text(of: status, traffic: []))
        #expect(families["versionkit_swarm_wrong_pieces_total"]?.samples.map(\.value) == [2])
        #expect(families["versionkit_swarm_bytes"]?.samples.map(\.value) == [7, 0])
        #expect(families["versionkit_download_wanted_bytes"]?.samples.map(\.value) == [3])
    }

    @Test("what is logged for a version that retired is there, and whether it can still be replayed")
    func replay() throws {
        func samples(_ replay: ReplayStatus?) throws -> [[Double]] {
            var version = Statuses.version(1, .retired)
            version.replay = replay
            let families = try MetricsReader.read(NodeMetrics.text(of: try Statuses.node([version]), traffic: []))
            return ["possible", "logged_writes", "logged_bytes"].map { name in
                families["versionkit_replay_\(name)"]?.samples.map(\.value) ?? []
            }
        }
        #expect(try samples(nil) == [[], [], []])
        #expect(
            try samples(ReplayStatus(snapshot: "irislog-1-1-1000", writes: 5, bytes: 640, failure: nil))
                == [[1], [5], [640]])
        #expect(try samples(ReplayStatus(snapshot: nil, writes: 1, bytes: 9, failure: nil)) == [[0], [1], [9]])
        #expect(
            try samples(ReplayStatus(snapshot: "irislog-1-1-1000", writes: 0, bytes: 0, failure: "it is gone"))
                == [[0], [0], [0]])
    }

    @Test("traffic has a number for each way")
    func traffic() throws {
        let row = try Statuses.traffic()
        let families = try MetricsReader.read(NodeMetrics.text(of: try Statuses.upgrading(), traffic: [row]))
        let bytes = try #require(families["versionkit_traffic_bytes_total"]).samples
        #expect(bytes.map(\.value) == [900, 800])
        #expect(bytes.map { $0.labels["direction"] } == ["out", "in"])
    }
}
