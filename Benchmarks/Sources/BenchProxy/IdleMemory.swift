import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// Measure 5: what a connection costs that does nothing.
enum IdleMemory {
    /// Opened and closed before anything is measured: what a program makes once, for its first clients.
    private static let warmUp = 100
    private static let sampleSeconds = 0.5

    static func run(_ bench: Bench) throws {
        let makers: [() throws -> Peer] = [
            { try bench.versionKit([bench.redis()]) },
            { try bench.envoy(bench.redis())[1] },
            { try bench.haproxy(bench.redis()) },
        ]
        var failures: [String] = []
        for make in makers {
            let peer = try make()
            defer { bench.stop([peer]) }
            // What one peer cannot do is no reason not to measure the others.
            do { try measure(bench, peer) } catch { failures.append("\(error)") }
        }
        guard failures.isEmpty else { throw BenchError(failures.joined(separator: "; ")) }
    }

    private static func measure(_ bench: Bench, _ peer: Peer) throws {
        // A peer has a connection to the server for each client; ours needs none for clients that only said PING.
        let count =
            peer.name == PeerName.versionKit
            ? bench.scale.connections : FileLimit.fitting(bench.scale.connections, descriptorsEach: 2)
        bench.observe("memory-connections", peer.name, round: 0, Double(count), "connections")
        _ = try open(min(warmUp, count), peer)
        let before = try settled(bench, peer)
        bench.observe("memory-before", peer.name, round: 0, before / 1024, "KB")
        var used: [Double] = []
        for cycle in 1...bench.scale.memoryCycles {
            let connections = try open(count, peer)
            let memory = try settled(bench, peer) - before
            used.append(memory)
            bench.observe(
                "memory-per-connection", peer.name, round: cycle, memory / Double(connections.count) / 1024, "KB")
            connections.removeAll()
            let after = try settled(bench, peer)
            bench.observe("memory-after-closing", peer.name, round: cycle, after / 1024, "KB")
        }
        if let first = used.first, let last = used.last, first > 0 {
            bench.observe("memory-last-to-first", peer.name, round: 0, last / first, "x")
        }
    }

    /// Connections that have each had one answer. A class, so that they close when we say so.
    private static func open(_ count: Int, _ peer: Peer) throws -> IdleConnections {
        let connections = IdleConnections()
        for index in 0..<count {
            do {
                try connections.add(peer.port)
            } catch {
                throw BenchError(
                    "connection \(index + 1) of \(count) to \(peer.name): \(error)\n  \(peer.child.lastWords)")
            }
        }
        return connections
    }

    /// The most of some seconds of samples, once they differ little.
    private static func settled(_ bench: Bench, _ peer: Peer) throws -> Double {
        let deadline = Date().addingTimeInterval(60)
        while true {
            var samples: [Double] = []
            for _ in 0..<max(2, Int(bench.scale.memorySeconds / sampleSeconds)) {
                usleep(UInt32(sampleSeconds * 1_000_000))
                samples.append(try peer.child.residentMemory())
            }
            let most = samples.max() ?? 0
            let least = samples.min() ?? 0
            if most - least <= most / 100 { return most }
            guard Date() < deadline else { throw BenchError("the memory of \(peer.name) does not come to rest") }
        }
    }
}

/// Open connections, without the buffers of ``RedisConnection``.
private final class IdleConnections {
    private var descriptors: [Int32] = []

    var count: Int { descriptors.count }

    func add(_ port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchError.system("socket") }
        descriptors.append(descriptor)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard Loopback.withAddress(port, { connect(descriptor, $0, $1) }) == 0 else {
            throw BenchError.system("connect")
        }
        let request = RedisConnection.encode(["PING"])
        guard send(descriptor, request, request.count, 0) == request.count else { throw BenchError.system("send") }
        var reply: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64)
        while reply.last != UInt8(ascii: "\n") {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw BenchError.system("recv") }
            reply += buffer[..<count]
        }
        guard reply == Array("+PONG\r\n".utf8) else {
            throw BenchError("the answer to PING is \(String(decoding: reply, as: UTF8.self))")
        }
    }

    func removeAll() {
        for descriptor in descriptors { close(descriptor) }
        descriptors = []
    }

    deinit { removeAll() }
}
