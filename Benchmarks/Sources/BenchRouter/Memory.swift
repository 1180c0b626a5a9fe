import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measure 7: what an idle connection costs versiond.
enum Memory {
    private static let network = "192.168.64.0/22"
    private static let firstPeer = "192.168.64.1"
    private static let settlingSeconds = 2.0
    /// Environments on one host. One application has two at most, so these are of as many applications, each with a port.
    private static let versions = 8
    private static let firstPort: UInt16 = 7001

    /// On the slow path, from many versions to many peers: a host that has all their addresses and no versiond, with a
    /// server that passes over the router's header, as a peer's router does.
    static func slow(_ bench: RouterBench) throws {
        let pair = try HostPair("memory", on: bench)
        try bench.shell(
            """
            ip -n \(pair.name)B route add local \(network) dev lo
            ip -n \(pair.name)A route add \(network) via \(HostPair.addressB)
            """)
        let ports = (0..<UInt16(versions)).map { firstPort + $0 }
        let command = LoadCommand(.serve(tcp: ports, udp: [], behindHeader: true), cpu: Lane.serverCPU)
        _ = try bench.start("bench-load serve", in: pair.b, bench.tools.load, command.arguments)
        let releases = try ports.map { try BenchRelease.make(bench, application: "bench-\($0)", port: $0, udp: []) }
        let a = try ManagedHost.start(
            "a", address: HostPair.addressA, on: pair.a, kernelPath: "none", releases: releases, bench)
        let lanes = try releases.map { release in
            let application = try a.install(release, bench)
            return Lane(
                variant: .slow, client: Namespace(of: application), server: firstPeer, port: release.port,
                relays: [a.process.id])
        }
        for lane in lanes { try lane.waitUntilReady(seconds: 20, on: bench) }
        try measure(bench, lanes, [a.process], addresses: bench.scale.peers)
    }

    /// On a fast path, between two versiond.
    static func fast(_ bench: RouterBench, _ lane: Lane) throws {
        let nodes = lane.relays.map { Child(name: "versiond", id: $0, log: "/dev/null") }
        try measure(bench, [lane], nodes, addresses: 1)
    }

    private static func measure(_ bench: RouterBench, _ lanes: [Lane], _ nodes: [Child], addresses: Int) throws {
        // What a program makes once, for its first connections.
        for load in try lanes.map({ try hold(bench, $0, connections: 20, addresses: min(20, addresses)) }) {
            Children.stop(load, signal: SIGKILL)
        }
        sleep(seconds: settlingSeconds)
        let before = try nodes.map { try $0.residentMemory() }
        let share = bench.scale.connections / lanes.count
        let loads = try lanes.map { try hold(bench, $0, connections: share, addresses: addresses) }
        defer { for load in loads { Children.stop(load, signal: SIGKILL) } }
        sleep(seconds: settlingSeconds)
        let used = try zip(nodes, before).map { try $0.residentMemory() - $1 }.max() ?? 0
        let connections = Double(share * lanes.count)
        let variant = lanes[0].variant
        bench.observe("memory-connections", variant, round: 0, connections, "connections")
        bench.observe("memory-peers", variant, round: 0, Double(addresses), "peers")
        bench.observe("memory-versions", variant, round: 0, Double(lanes.count), "versions")
        bench.observe("memory-per-connection", variant, round: 0, used / connections / 1024, "KB")
    }

    /// Opens connections and waits until all have had an answer.
    private static func hold(_ bench: RouterBench, _ lane: Lane, connections: Int, addresses: Int) throws -> Child {
        let load = try lane.start(.hold(connections: connections, addresses: addresses), on: bench)
        let deadline = Date().addingTimeInterval(120)
        while LoadResult.last(in: load.output) == nil {
            guard Children.exitCode(of: load) == nil, Date() < deadline else {
                Children.stop(load, signal: SIGKILL)
                throw BenchError("connections could not all be opened: \(load.lastWords)")
            }
            usleep(50_000)
        }
        return load
    }

    private static func sleep(seconds: Double) { usleep(UInt32(seconds * 1e6)) }
}
