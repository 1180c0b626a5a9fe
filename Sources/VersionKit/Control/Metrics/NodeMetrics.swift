import VersionKitModel
import VersionKitUpgrade

/// A node's state and counters for Prometheus.
///
/// Pure. The labels' values are bounded by what the node bounds: applications, versions, peers, reasons.
package enum NodeMetrics {
    /// The text that `GET /metrics` answers.
    ///
    /// - Parameters:
    ///   - traffic: what went between versions and peers.
    ///   - refused: requests of operators that were not tried, by reason.
    package static func text(
        of status: NodeStatus, traffic: [TrafficStatus], refused: [String: UInt64] = [:],
        release: String = VersionKitRelease.number
    ) -> String {
        var build = MetricFamily("build_info", .gauge, "The node and the release of its versiond; always 1.")
        build.add(1, ["node": status.node.description, "release": release])
        var control = MetricFamily("control_refused_total", .counter, "Requests of operators that were not tried.")
        for (reason, count) in refused.sorted(by: { $0.key < $1.key }) { control.add(count, ["reason": reason]) }
        let families =
            [build, control] + versions(status) + upgrades(status) + replays(status) + proxies(status)
            + router(status.router)
            + fleet(status.fleet) + swarm(status) + self.traffic(traffic) + restart(status.restart)
        return families.map(\.text).joined()
    }

    private static func each(
        _ status: NodeStatus, _ body: (VersionStatus, _ application: String, _ version: String) -> Void
    ) {
        for application in status.applications {
            for version in application.versions {
                body(version, application.application.description, version.version.description)
            }
        }
    }

    private static func versions(_ status: NodeStatus) -> [MetricFamily] {
        var states = MetricFamily("version_state", .gauge, "1 for the state in which a version is, 0 for the others.")
        var messages = MetricFamily("peer_messages_total", .counter, "Pieces of data that peers sent to a version.")
        var missing = MetricFamily("version_missing_writes", .gauge, "Writes that will be brought to a version.")
        var queued = MetricFamily("version_queued_writes", .gauge, "Of these, those that wait in a queue.")
        var bytes = MetricFamily("version_queued_bytes", .gauge, "The memory that these take, in bytes.")
        var compared = MetricFamily(
            "version_compared_keys", .gauge, "Keys that were compared since a version's last comparison began.")
        var copied = MetricFamily("version_copied_keys", .gauge, "Keys that differed, and were copied to a version.")
        var diverged = MetricFamily(
            "version_diverged_writes_total", .counter, "Writes that a version did not do and will not.")
        var peers = MetricFamily("peers", .gauge, "Peers of an application that are known.")
        each(status) { version, application, number in
            for state in VersionStatus.State.allCases {
                states.add(
                    state == version.state ? 1 : 0,
                    ["application": application, "version": number, "state": state.rawValue])
            }
            let labels: KeyValuePairs = ["application": application, "version": number]
            messages.add(version.peerMessages, labels)
            let writes = version.writes
            missing.add(writes?.missing ?? 0, labels)
            queued.add(writes?.queued ?? 0, labels)
            bytes.add(writes?.queuedBytes ?? 0, labels)
            compared.add(writes?.compared ?? 0, labels)
            copied.add(writes?.copied ?? 0, labels)
            diverged.add(writes?.diverged ?? 0, labels)
        }
        for application in status.applications {
            peers.add(application.peers.count, ["application": application.application.description])
        }
        return [states, messages, missing, queued, bytes, compared, copied, diverged, peers]
    }

    private static func upgrades(_ status: NodeStatus) -> [MetricFamily] {
        var seconds = MetricFamily(
            "stage_seconds", .gauge, "How long a stage of an upgrade took; of one that is under way, so far.")
        var examined = MetricFamily("migration_examined_records", .gauge, "Records that a migration looked at.")
        var copied = MetricFamily("migration_copied_records", .gauge, "Records that a migration copied.")
        each(status) { version, application, number in
            for stage in version.stages {
                seconds.add(
                    thousandths: stage.milliseconds,
                    ["application": application, "version": number, "stage": stage.stage.rawValue])
            }
            guard let migration = version.migration else { return }
            examined.add(migration.examined, ["application": application, "version": number])
            copied.add(migration.copied, ["application": application, "version": number])
        }
        return [seconds, examined, copied]
    }

    private static func replays(_ status: NodeStatus) -> [MetricFamily] {
        var possible = MetricFamily(
            "replay_possible", .gauge,
            "1 if a version that retired can be gone back to with what was written since, 0 if that is over.")
        var writes = MetricFamily("replay_logged_writes", .gauge, "Writes in the log of a version that retired.")
        var bytes = MetricFamily("replay_logged_bytes", .gauge, "The bytes of that log.")
        each(status) { version, application, number in
            guard let replay = version.replay else { return }
            let labels: KeyValuePairs = ["application": application, "version": number]
            possible.add(replay.failure == nil && replay.snapshot != nil ? 1 : 0, labels)
            writes.add(replay.writes, labels)
            bytes.add(replay.bytes, labels)
        }
        return [possible, writes, bytes]
    }

    private static func proxies(_ status: NodeStatus) -> [MetricFamily] {
        var requests = MetricFamily("proxy_requests_total", .counter, "Clients' requests that were answered.")
        var failed = MetricFamily("proxy_failed_requests_total", .counter, "Of these, those with a failure.")
        var open = MetricFamily("proxy_client_connections", .gauge, "Clients' connections that are open.")
        var refused = MetricFamily(
            "proxy_refused_clients_total", .counter, "Clients' connections that were closed for what they sent.")
        for application in status.applications {
            guard let proxy = application.proxy else { continue }
            let name = application.application.description
            requests.add(proxy.requests, ["application": name])
            failed.add(proxy.failed, ["application": name])
            open.add(proxy.connections, ["application": name])
            refused.add(proxy.refused, ["application": name])
        }
        return [requests, failed, open, refused]
    }

    private static func router(_ router: RouterStatus) -> [MetricFamily] {
        var connections = MetricFamily("router_connections_total", .counter, "Connections by the router's slow path.")
        connections.add(router.outbound, ["kind": "outbound"])
        connections.add(router.inbound, ["kind": "inbound"])
        connections.add(router.plain, ["kind": "plain"])
        connections.add(router.control, ["kind": "control"])
        var bytes = MetricFamily("router_relayed_bytes_total", .counter, "Bytes that the router's slow path relayed.")
        bytes.add(router.bytes)
        var ahead = MetricFamily(
            "router_ahead_connections_total", .counter, "Connections opened ahead, by what became of them.")
        ahead.add(router.pooled, ["result": "used"])
        ahead.add(router.unused, ["result": "unused"])
        var refused = MetricFamily("router_refused_total", .counter, "Connections that were closed, by reason.")
        for (reason, count) in router.refused.sorted(by: { $0.key < $1.key }) {
            refused.add(count, ["reason": reason])
        }
        var ports = MetricFamily("kernel_direct_ports", .gauge, "Ports of the host that lead straight to a version.")
        var routes = MetricFamily("kernel_routes", .gauge, "Routes to peers that the kernel takes by itself.")
        var failures = MetricFamily("kernel_failures_total", .counter, "Changes that the kernel refused.")
        if let kernel = router.kernel {
            ports.add(kernel.directPorts)
            routes.add(kernel.routes)
            failures.add(kernel.failures)
        }
        return [connections, bytes, ahead, refused, ports, routes, failures]
    }

    private static func fleet(_ fleet: FleetStatus?) -> [MetricFamily] {
        guard let fleet else { return [] }
        var messages = MetricFamily(
            "fleet_messages_total", .counter, "Messages between routers, by what became of them.")
        messages.add(fleet.told, ["result": "told"])
        messages.add(fleet.failed, ["result": "failed"])
        messages.add(fleet.givenUp, ["result": "given_up"])
        messages.add(fleet.dropped, ["result": "dropped"])
        messages.add(fleet.received, ["result": "received"])
        var refused = MetricFamily("fleet_refused_total", .counter, "Messages of peers that were refused, by reason.")
        for (reason, count) in fleet.refused.sorted(by: { $0.key < $1.key }) {
            refused.add(count, ["reason": reason])
        }
        var waiting = MetricFamily("fleet_waiting_peers", .gauge, "Peers that still have to be told.")
        waiting.add(fleet.waiting)
        var forgotten = MetricFamily("fleet_forgotten_peers_total", .counter, "Peers that were forgotten.")
        forgotten.add(fleet.forgotten)
        return [messages, refused, waiting, forgotten]
    }

    private static func swarm(_ status: NodeStatus) -> [MetricFamily] {
        var here = MetricFamily("download_bytes", .gauge, "Bytes of a version's layers that are here, while they come.")
        var wanted = MetricFamily("download_wanted_bytes", .gauge, "Bytes of a version's layers, while they come.")
        each(status) { version, application, number in
            guard let download = version.download else { return }
            here.add(download.bytes, ["application": application, "version": number])
            wanted.add(download.bytesWanted, ["application": application, "version": number])
        }
        guard let swarm = status.swarm else { return [here, wanted] }
        var releases = MetricFamily("swarm_releases", .gauge, "Releases that are fetched or handed on.")
        releases.add(swarm.releases)
        var peers = MetricFamily("swarm_peers", .gauge, "Connections to peers of the swarm.")
        peers.add(swarm.peers)
        var bytes = MetricFamily(
            "swarm_bytes", .gauge, "Bytes to and from peers, of the releases that are handed on now.")
        bytes.add(swarm.bytesSent, ["direction": "out"])
        bytes.add(swarm.bytesReceived, ["direction": "in"])
        var wrong = MetricFamily("swarm_wrong_pieces_total", .counter, "Pieces that came and were wrong.")
        wrong.add(swarm.wrongPieces)
        var banned = MetricFamily(
            "swarm_banned_peers_total", .counter, "Peers that are not asked any more, for they lied.")
        banned.add(swarm.bannedPeers)
        var direct = MetricFamily(
            "swarm_fallbacks_total", .counter, "Downloads that went on directly because no peer got them on.")
        direct.add(swarm.fallbacks)
        return [here, wanted, releases, peers, bytes, wrong, banned, direct]
    }

    private static func traffic(_ rows: [TrafficStatus]) -> [MetricFamily] {
        var bytes = MetricFamily("traffic_bytes_total", .counter, "Bytes between a version and a peer, by path.")
        var messages = MetricFamily(
            "traffic_messages_total", .counter, "Messages between a version and a peer, by path.")
        var connections = MetricFamily(
            "traffic_connections_total", .counter, "Connections between a version and a peer, by path.")
        for row in rows {
            func add(_ family: inout MetricFamily, _ value: UInt64, direction: String? = nil) {
                let (application, version) = (row.application.description, row.version.description)
                let transport = row.transport.description
                if let direction {
                    family.add(
                        value,
                        [
                            "application": application, "version": version, "peer": row.peer, "transport": transport,
                            "path": row.path, "direction": direction,
                        ])
                } else {
                    family.add(
                        value,
                        [
                            "application": application, "version": version, "peer": row.peer, "transport": transport,
                            "path": row.path,
                        ])
                }
            }
            add(&bytes, row.bytesOut, direction: "out")
            add(&bytes, row.bytesIn, direction: "in")
            add(&messages, row.messages)
            add(&connections, row.connections)
        }
        return [bytes, messages, connections]
    }

    private static func restart(_ restart: RestartStatus?) -> [MetricFamily] {
        guard let restart else { return [] }
        var count = MetricFamily("restarts_total", .counter, "Hot restarts since versiond was started.")
        count.add(restart.number)
        var pause = MetricFamily(
            "restart_pause_seconds", .gauge, "How long the router stood still in the last hot restart.")
        pause.add(thousandths: restart.pauseMicroseconds / 1000)
        return [count, pause]
    }
}
