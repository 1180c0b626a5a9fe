import BenchCommands
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// How much is measured.
struct Scale {
    var rounds: Int
    /// Of 250 requests each.
    var latencyTurns: Int
    var requests: Int
    var acknowledgedWrites: Int
    var connections: Int
    var memorySeconds: Double
    var memoryCycles: Int

    init(rounds: Int, isQuick: Bool) {
        self.rounds = rounds
        latencyTurns = isQuick ? 4 : 40
        requests = isQuick ? 20_000 : 300_000
        acknowledgedWrites = isQuick ? 5_000 : 30_000
        connections = isQuick ? 500 : 10_000
        memorySeconds = isQuick ? 1 : 5
        memoryCycles = isQuick ? 2 : 3
    }
}

/// What all measures share: the programs, a folder for the run, and what has been observed so far.
final class Bench {
    let tools: Tools
    let scale: Scale
    /// The root of the repository.
    let root: String
    /// Goes at the end.
    let directory: String
    private(set) var observations = Observations()
    var unavailable = Unavailable()
    private var ports = Ports()
    private var logs = 0

    init(tools: Tools, scale: Scale, root: String) throws {
        self.tools = tools
        self.scale = scale
        self.root = root
        var template = Array("/tmp/bench-proxy-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchError.system("mkdtemp") }
        directory = template.withUnsafeBufferPointer { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) }
        Children.remember(directory: directory)
    }

    func port() throws -> UInt16 { try ports.next() }

    /// A new folder below the run's own.
    func folder(_ name: String) throws -> String {
        logs += 1
        let path = "\(directory)/\(logs)-\(name)"
        try File.makeFolder(path)
        return path
    }

    func start(_ name: String, _ program: String, _ arguments: [String]) throws -> Child {
        logs += 1
        return try Children.start(name, program, arguments, log: "\(directory)/\(logs).log")
    }

    func observe(_ measure: String, _ peer: String, round: Int, _ value: Double, _ unit: String) {
        observations.add(Observation(measure, peer, round: round, value, unit))
        say("  round \(round)  \(measure)  \(peer)  \(value.text(digits: value < 100 ? 2 : 0)) \(unit)")
    }

    /// Calls the body for every peer in every round. Each round begins with another peer, since a machine that gets
    /// slower while it works would otherwise always wrong the same one.
    func forEachRound(_ peers: [Peer], _ body: (Peer, Int) throws -> Void) throws {
        for round in 0..<scale.rounds {
            for index in peers.indices { try body(peers[(index + round) % peers.count], round + 1) }
        }
    }

    /// Progress; stdout is for results.
    func say(_ text: String) { Console.say(text) }
}
