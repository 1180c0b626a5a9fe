import BenchCommands
import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// How much is measured.
struct Scale {
    var rounds: Int
    /// A measure of a variant in a round is the median of so many short turns: within a turn the machine's mood is the same
    /// for all, or nearly.
    var turns: Int
    /// Of one turn.
    var seconds: Double
    var bulkSeconds: Double
    var connects: Int
    var movingSeconds: Double
    var connections: Int
    var peers: Int

    init(rounds: Int, isQuick: Bool) {
        self.rounds = rounds
        turns = isQuick ? 1 : 3
        seconds = isQuick ? 0.2 : 0.4
        bulkSeconds = isQuick ? 0.3 : 0.6
        connects = isQuick ? 100 : 400
        movingSeconds = isQuick ? 2 : 5
        connections = isQuick ? 1000 : 10_000
        peers = isQuick ? 100 : 1000
    }
}

/// What all measures share: the programs, a folder for the run, and what has been observed so far.
final class RouterBench {
    let tools: RouterTools
    let scale: Scale
    /// The root of the repository.
    let root: String
    /// Goes at the end.
    let directory: String
    private(set) var observations = Observations()
    private(set) var unavailable = Unavailable()
    private var files = 0
    private var started: [Child] = []

    init(tools: RouterTools, scale: Scale, root: String) throws {
        self.tools = tools
        self.scale = scale
        self.root = root
        directory = "/tmp/bench-router-\(getpid())"
        try File.makeFolder(directory)
        Children.remember(directory: directory)
    }

    /// A new folder below the run's own.
    func folder(_ name: String) throws -> String {
        files += 1
        let path = "\(directory)/\(files)-\(name)"
        try File.makeFolder(path)
        return path
    }

    /// Starts a program in a namespace; the child is the program itself.
    func start(_ name: String, in namespace: Namespace, _ program: String, _ arguments: [String]) throws -> Child {
        files += 1
        let child = try Children.start(
            name, tools.nsenter, ["--net=\(namespace.path)", program] + arguments, log: "\(directory)/\(files).log")
        started.append(child)
        return child
    }

    /// Does something that starts programs; if it fails these are ended again, so that they disturb nobody.
    func stoppingOnFailure<Result>(_ body: () throws -> Result) throws -> Result {
        let before = started.count
        do { return try body() } catch {
            for child in started[before...].reversed() { Children.stop(child) }
            throw error
        }
    }

    /// Runs a program to its end; what it printed.
    @discardableResult
    func run(_ program: String, _ arguments: [String], seconds: Double = 60) throws -> String {
        files += 1
        let name = String(program.split(separator: "/").last ?? "")
        let child = try Children.start(name, program, arguments, log: "\(directory)/\(files).log")
        let code = try Children.wait(for: child, seconds: seconds)
        guard code == 0 else { throw BenchError("\(name) ended with \(code): \(child.lastWords)") }
        return child.output
    }

    /// Runs commands of the shell, of which each has to succeed.
    func shell(_ script: String) throws { try run("/bin/sh", ["-e", "-c", script]) }

    /// A peer's configuration, filled in.
    func configuration(_ name: String, _ values: [String: String]) throws -> String {
        let template = try String(contentsOfFile: "\(root)/Benchmarks/peers/\(name)", encoding: .utf8)
        let path = "\(try folder("configuration"))/\(name)"
        try File.write(Template.fill(template, values), to: path)
        return path
    }

    func observe(_ measure: String, _ variant: RouterVariant, round: Int, _ value: Double, _ unit: String) {
        observations.add(Observation(measure, variant.rawValue, round: round, value, unit))
        say("  round \(round)  \(measure)  \(variant.rawValue)  \(value.text(digits: value < 100 ? 2 : 0)) \(unit)")
    }

    /// Notes that something cannot be measured, and why.
    func lack(_ variant: RouterVariant, measure: Int? = nil, _ error: any Error) {
        let reason = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        unavailable.add(variant.rawValue, measure: measure, reason)
        say("  \(variant.rawValue) is not available: \(reason)")
    }

    /// Progress; stdout is for results.
    func say(_ text: String) { Console.say(text) }
}
