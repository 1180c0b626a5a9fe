import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measure 4: which acknowledged writes a version misses that was killed and started again in between.
enum ShadowRestart {
    private static let clients = 4
    private static let outageSeconds = 0.7
    private static let catchUpSeconds = 60.0
    /// Envoy sends again nothing that it could not send: who has written nothing for so long has all it will get.
    private static let mirrorSeconds = 5.0

    static func run(_ bench: Bench) throws {
        for round in 1...bench.scale.rounds {
            for name in [PeerName.envoyMirror, PeerName.versionKit] { try measure(bench, name, round) }
        }
    }

    private static func measure(_ bench: Bench, _ name: String, _ round: Int) throws {
        let primary = try bench.redis()
        var shadow = try bench.redis(isDurable: true)
        defer { for redis in [primary, shadow] { Children.stop(redis.child) } }
        let isOurs = name == PeerName.versionKit
        let peer = try isOurs ? bench.versionKit([primary, shadow]) : bench.envoyMirror([primary, shadow])[0]
        defer { Children.stop(peer.child) }

        let load = (0..<clients).map { CheckingClient("\($0)", port: peer.port) }
        func acknowledged() -> Int { load.map(\.acknowledged).reduce(0, +) }
        defer { for client in load { client.stop() } }
        let wanted = bench.scale.acknowledgedWrites
        try wait(60, "a third of the writes") { acknowledged() >= wanted / 3 }
        let before = acknowledged()
        Children.stop(shadow.child, signal: SIGKILL)
        let killed = Date()
        usleep(UInt32(outageSeconds * 1_000_000))
        shadow = try bench.restart(shadow)
        let outage = Date().timeIntervalSince(killed)
        let during = acknowledged() - before
        // And on for as long again: a version has to be caught up while it gets new writes.
        try wait(120, "all writes") {
            acknowledged() >= wanted && Date().timeIntervalSince(killed) > 2 * outage + 0.5
        }
        let tallies = load.map { ($0.name, $0.finish()) }
        let finished = Date()

        let servers = try [primary, shadow].map { try RedisConnection(port: $0.port, timeoutSeconds: 30) }
        var isEqual = false
        let limit = isOurs ? catchUpSeconds : mirrorSeconds
        while !isEqual, Date().timeIntervalSince(finished) < limit {
            isEqual = try servers[0].ask("DEBUG", "DIGEST") == servers[1].ask("DEBUG", "DIGEST")
            if !isEqual { usleep(100_000) }
        }
        let catchUp = Date().timeIntervalSince(finished)
        func observe(_ what: String, _ value: Double, _ unit: String = "writes") {
            bench.observe("restart-\(what)", name, round: round, value, unit)
        }
        observe("acknowledged", Double(tallies.map(\.1.acknowledged).reduce(0, +)))
        observe("acknowledged-in-outage", Double(during))
        observe("failed", Double(tallies.map(\.1.failed).reduce(0, +)))
        observe("lost-by-primary", Double(try lost(tallies, servers[0])))
        observe("lost", Double(try lost(tallies, servers[1])))
        observe("surplus", Double(try surplus(tallies, servers)))
        observe("outage", outage, "s")
        observe("digests-differ", isEqual ? 0 : 1, "rounds")
        if isEqual { observe("catch-up", catchUp, "s") }
        if isOurs, let lag = CounterLine.last(in: peer.child.output)?["lag-2"] { observe("lag-at-end", Double(lag)) }
    }

    /// How many of the acknowledged writes a server does not have.
    private static func lost(_ tallies: [(String, CheckingClient.Tally)], _ server: RedisConnection) throws -> Int {
        var lost = 0
        for (name, tally) in tallies {
            var counter = 0
            if case .text(let text) = try server.ask("GET", "counter:\(name)") { counter = Int(text) ?? 0 }
            lost += max(0, tally.increments - counter)
            for number in tally.keys where try server.ask("GET", "item:\(name):\(number)") != .text("\(number)") {
                lost += 1
            }
        }
        return lost
    }

    /// How many INCRs the shadow has done that the primary has not: writes that reached it twice.
    private static func surplus(
        _ tallies: [(String, CheckingClient.Tally)], _ servers: [RedisConnection]
    ) throws -> Int {
        try tallies.reduce(0) { sum, client in
            let counters = try servers.map { server in
                guard case .text(let text) = try server.ask("GET", "counter:\(client.0)") else { return 0 }
                return Int(text) ?? 0
            }
            return sum + max(0, counters[1] - counters[0])
        }
    }

    private static func wait(_ seconds: Double, _ what: String, until isReached: () -> Bool) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while !isReached() {
            guard Date() < deadline else { throw BenchError("\(what) took longer than \(Int(seconds)) s") }
            usleep(2000)
        }
    }
}
