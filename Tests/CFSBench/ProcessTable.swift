import BenchDriver
import ExampleFleet
import FoundationEssentials
import Glibc

/// What `/proc` says of the sandbox's processes.
enum ProcessTable {
    /// The ids of the processes of a program.
    static func named(_ program: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter {
            name(of: $0) == program
        }.sorted()
    }

    /// Seconds of processors that each of these programs' processes took that run now, together.
    static func processorSeconds(of programs: [String]) throws -> [String: Double] {
        var seconds: [String: Double] = [:]
        for process in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap({ Int32($0) }) {
            guard let name = name(of: process), programs.contains(name), let time = time(of: process) else { continue }
            seconds[name, default: 0] += time
        }
        return seconds
    }

    private static func name(of process: Int32) -> String? {
        (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?.split(separator: "\n").first
            .map(String.init)
    }

    private static func time(of process: Int32) -> Double? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            // The name in parentheses may have spaces.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(String(fields[12])), let kernel = Double(String(fields[13])) else {
            return nil
        }
        return (user + kernel) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// What processors did while something went on.
struct Busy {
    private static let programs = ["cfs-lsd", "cfs-lsd2", "cfs-proxy", "versiond"]

    private let machine: ProcessorTime
    private let processes: [String: Double]
    private let children: Double

    init() throws {
        machine = try .ofMachine()
        processes = try ProcessTable.processorSeconds(of: Self.programs)
        children = ProcessorTime.ofChildren()
    }

    /// The share of the machine's time that was taken, by whatever program.
    func share(since before: Busy) -> Double { machine.share(since: before.machine) }

    /// Seconds of processors by program, the client too, which has ended.
    func seconds(since before: Busy) -> [String: Double] {
        var seconds = processes
        for (program, then) in before.processes { seconds[program, default: 0] -= then }
        seconds["cfs-dbm"] = children - before.children
        return seconds
    }
}
