import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// One of the programs that are compared, ready for clients.
struct Peer {
    let name: String
    let port: UInt16
    let child: Child
    /// The servers behind it.
    var versions: [Redis] = []
}

/// A Redis server of our own.
struct Redis {
    let port: UInt16
    let arguments: [String]
    var child: Child
}

extension Bench {
    private static let readySeconds = 20.0

    /// Starts a Redis that keeps nothing, or one that a kill makes forget nothing it has answered.
    ///
    /// That one does without `appendfsync everysec`: while such a sync runs, Redis answers first and writes to its log up
    /// to two seconds later, and a proxy would be blamed for what the server forgot. What was written outlives the process
    /// without any sync.
    func redis(isDurable: Bool = false) throws -> Redis {
        let port = try port()
        let folder = try folder("redis")
        let arguments = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", isDurable ? "yes" : "no",
            "--appendfsync", "no", "--dir", folder, "--enable-debug-command", "local", "--maxclients",
            "\(scale.connections + 500)",
        ]
        return try restart(Redis(port: port, arguments: arguments, child: Child(name: "", id: 0, log: "")))
    }

    /// Starts it (again), on the same port and files.
    func restart(_ redis: Redis) throws -> Redis {
        var redis = redis
        redis.child = try start("redis-server", tools.redisServer, redis.arguments)
        try waitUntilReady(redis.child, redis.port)
        return redis
    }

    func versionKit(_ versions: [Redis]) throws -> Peer {
        let port = try port()
        var arguments = ["--listen", "127.0.0.1:\(port)"]
        for (index, version) in versions.enumerated() {
            arguments += ["--version", "\(index + 1)=127.0.0.1:\(version.port)"]
        }
        if versions.count > 1 { arguments += ["--report"] }
        let child = try start(PeerName.versionKit, tools.proxy, arguments)
        return try ready(Peer(name: PeerName.versionKit, port: port, child: child, versions: versions))
    }

    /// Somebody who answers every request and does nothing with it.
    func responder() throws -> Peer {
        let port = try port()
        let child = try start("responder", try File.ownProgram(), ["--respond", "\(port)"])
        return try ready(Peer(name: "responder", port: port, child: child))
    }

    /// The proxy that does nothing which a proxy could leave out, in front of one server or of two. Nobody, where
    /// io_uring is forbidden: the others are worth measuring all the same.
    func leastProxy(_ versions: [Redis], measure: Int) -> [Peer] {
        do {
            let port = try port()
            let arguments = ["--least-proxy", "\(port)"] + versions.map { "\($0.port)" }
            let child = try start(PeerName.leastProxy, try File.ownProgram(), arguments)
            return [try ready(Peer(name: PeerName.leastProxy, port: port, child: child, versions: versions))]
        } catch {
            say("  \(error)")
            unavailable.add(PeerName.leastProxy, measure: measure, "it did not start")
            return []
        }
    }

    func haproxy(_ redis: Redis) throws -> Peer {
        let port = try port()
        let file = try configuration(
            "haproxy.cfg",
            [
                "TCP_PORT": port, "VERSION_1_PORT": redis.port,
                // It takes two descriptors for each, and does not start if it could not have them.
                "MAX_CONNECTIONS": FileLimit.fitting(scale.connections, descriptorsEach: 2) + 50,
            ])
        let child = try start(PeerName.haproxy, tools.haproxy, ["-db", "-f", file])
        return try ready(Peer(name: PeerName.haproxy, port: port, child: child, versions: [redis]))
    }

    func nginx(_ redis: Redis) throws -> Peer {
        let port = try port()
        let folder = try folder("nginx")
        let file = try configuration(
            "nginx.conf",
            [
                "TCP_PORT": port, "VERSION_1_PORT": redis.port, "DIRECTORY": folder,
                "STREAM_MODULE": tools.streamModule,
            ])
        let child = try start(PeerName.nginx, tools.nginx, ["-p", folder, "-e", "stderr", "-c", file])
        return try ready(Peer(name: PeerName.nginx, port: port, child: child, versions: [redis]))
    }

    /// The three ways through one Envoy: TCP, Redis, Redis buffered.
    func envoy(_ redis: Redis) throws -> [Peer] {
        let ports = try (0..<3).map { _ in try port() }
        let child = try startEnvoy(
            "envoy.yaml",
            [
                "TCP_PORT": ports[0], "REDIS_PORT": ports[1], "BUFFERED_PORT": ports[2],
                "VERSION_1_PORT": redis.port,
            ])
        return try zip([PeerName.envoyTCP, PeerName.envoyRedis, PeerName.envoyBuffered], ports).map { name, port in
            try ready(Peer(name: name, port: port, child: child, versions: [redis]))
        }
    }

    /// The two ways through one Envoy that mirrors writes: as it comes, and buffered.
    func envoyMirror(_ versions: [Redis]) throws -> [Peer] {
        let ports = try (0..<2).map { _ in try port() }
        let child = try startEnvoy(
            "envoy-mirror.yaml",
            [
                "REDIS_PORT": ports[0], "BUFFERED_PORT": ports[1], "VERSION_1_PORT": versions[0].port,
                "VERSION_2_PORT": versions[1].port,
            ])
        return try zip([PeerName.envoyMirror, PeerName.envoyMirrorBuffered], ports).map { name, port in
            try ready(Peer(name: name, port: port, child: child, versions: versions))
        }
    }

    func stop(_ peers: [Peer]) {
        for peer in peers { Children.stop(peer.child) }
        for redis in peers.flatMap(\.versions) { Children.stop(redis.child) }
    }

    private func startEnvoy(_ template: String, _ values: [String: any CustomStringConvertible]) throws -> Child {
        let file = try configuration(template, values)
        return try start(
            "Envoy", tools.envoy,
            // Hot restart would meet other Envoys of this machine in shared memory.
            ["-c", file, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"])
    }

    private func configuration(_ name: String, _ values: [String: any CustomStringConvertible]) throws -> String {
        let template = try String(contentsOfFile: "\(root)/Benchmarks/peers/\(name)", encoding: .utf8)
        let path = "\(try folder("configuration"))/\(name)"
        try File.write(Template.fill(template, values.mapValues(\.description)), to: path)
        return path
    }

    private func ready(_ peer: Peer) throws -> Peer {
        try waitUntilReady(peer.child, peer.port)
        return peer
    }

    /// Until it answers a PING, from its server or by itself, or says OK to it as to everything.
    private func waitUntilReady(_ child: Child, _ port: UInt16) throws {
        let deadline = Date().addingTimeInterval(Self.readySeconds)
        var reason = "no answer"
        while Date() < deadline {
            if let code = Children.exitCode(of: child) {
                throw BenchError("\(child.name) ended with \(code):\n  \(child.lastWords)")
            }
            do {
                let reply = try RedisConnection(port: port, timeoutSeconds: 2).ask("PING")
                if reply == .text("PONG") || reply == .text("OK") { return }
                reason = "\(reply)"
            } catch {
                reason = "\(error)"
            }
            usleep(20_000)
        }
        throw BenchError(
            "\(child.name) was not ready within \(Int(Self.readySeconds)) s: \(reason)\n  \(child.lastWords)")
    }
}
