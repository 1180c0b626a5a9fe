import BenchFigures
import BenchPrograms
import Foundation
import Glibc

/// One way between two hosts, ready for clients.
struct Lane {
    let variant: RouterVariant
    /// Where the client runs.
    let client: Namespace
    /// The server's address as the client knows it.
    let server: String
    /// The server's TCP port, and the first of its UDP ports.
    var port = Lane.port
    /// The programs between the two, whose processor time counts.
    let relays: [Int32]

    static let port: UInt16 = 7000
    static let clientCPU = 0
    static let serverCPU = 1

    /// What a load cost the processors, in seconds.
    struct Cost {
        var relays = 0.0
        var machine = 0.0
    }

    /// Runs a load to its end.
    func run(_ order: LoadOrder, port: UInt16? = nil, on bench: RouterBench) throws -> (LoadResult, Cost) {
        let relaysBefore = Processors.seconds(of: relays)
        let machineBefore = Processors.busySeconds()
        let child = try start(order, port: port, on: bench)
        let code = try Children.wait(for: child, seconds: 30)
        let cost = Cost(
            relays: Processors.seconds(of: relays) - relaysBefore, machine: Processors.busySeconds() - machineBefore)
        guard code == 0, let result = LoadResult.last(in: child.output) else {
            throw BenchError("\(order.name) ended with \(code): \(child.lastWords)")
        }
        return (result, cost)
    }

    /// Starts a load.
    func start(_ order: LoadOrder, port: UInt16? = nil, on bench: RouterBench) throws -> Child {
        let command = LoadCommand(order, server: "\(server):\(port ?? self.port)", cpu: Self.clientCPU)
        return try bench.start("bench-load \(order.name)", in: client, bench.tools.load, command.arguments)
    }

    /// Tries until a connection gets its answer.
    func waitUntilReady(seconds: Double, on bench: RouterBench) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            do {
                _ = try run(.connect(count: 1), on: bench)
                return
            } catch {
                guard Date() < deadline else {
                    throw BenchError("no way from client to server within \(Int(seconds)) s: \(error)")
                }
                usleep(100_000)
            }
        }
    }
}

/// Processor time, as the kernel tells it in hundredths of a second.
enum Processors {
    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// Of these processes together.
    static func seconds(of processes: [Int32]) -> Double {
        let ticks = processes.compactMap { ProcessorTime.ticks(stat: File.text("/proc/\($0)/stat")) }
        return Double(ticks.reduce(0, +)) / ticksPerSecond
    }

    /// Of everything that runs on this machine.
    static func busySeconds() -> Double {
        Double(ProcessorTime.busyTicks(machine: File.text("/proc/stat")) ?? 0) / ticksPerSecond
    }

    /// All processes.
    static func all() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    /// A process and all that it started, directly or not.
    static func tree(_ root: Int32) -> [Int32] {
        let parents = all().compactMap { id in
            ProcessorTime.parent(stat: File.text("/proc/\(id)/stat")).map { (id: id, parent: $0) }
        }
        var found = [root]
        var index = 0
        while index < found.count {
            found += parents.filter { $0.parent == found[index] }.map(\.id)
            index += 1
        }
        return found
    }
}
