import Glibc
import VersionKitIsolation

/// Does one thing with one kind of environment and tells what it cost, as rows `measure,kind,detail,value`.
///
///     isolation-bench MEASURE KIND [disk=DISK] [sizes=32,128] [repeats=3] [criu=PATH] [work=DIRECTORY]
///
/// What cannot be measured is one line, `not available: REASON`, and exit status 69. To be run in scripts/sandbox, which
/// takes everything away that is left; scripts/bench-isolation does.
@main
struct IsolationBenchMain {
    static func main() async {
        guard let order = Order(CommandLine.arguments.dropFirst()) else {
            let measures = Measure.allCases.map(\.rawValue).joined(separator: "|")
            let kinds = Kind.allCases.map(\.rawValue).joined(separator: "|")
            print("usage: isolation-bench \(measures) \(kinds) [KEY=VALUE ...]")
            exit(EX_USAGE)
        }
        do {
            guard getenv("VERSIONKIT_SANDBOX") != nil else { throw BenchFailure("run inside scripts/sandbox") }
            let place = try await Workplace(order)
            let result: Result<Void, any Error>
            do { result = .success(try await order.measure.run(in: place)) } catch { result = .failure(error) }
            await place.remove()
            try result.get()
        } catch {
            print("not available: \("\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))")
            exit(EX_UNAVAILABLE)
        }
    }
}

/// What is to be measured.
enum Measure: String, CaseIterable {
    /// Making an environment until its application answers, and ending it.
    case life
    /// Keeping so many megabytes, and going on with the copy.
    case snapshot
    /// Keeping files that are on the disk already.
    case pause
    /// Memory of an environment in which nothing happens.
    case idle
    /// Throughput between the node and an environment, and between two environments.
    case network
    /// Time for fixed work.
    case compute

    func run(in place: Workplace) async throws {
        switch (self, place.order.kind) {
        case (.life, .crunByHand), (.life, .runcByHand): try await ByHand.life(place)
        case (.snapshot, .criu): try await ByHand.snapshot(place)
        case (.life, _): try await Life.measure(place)
        case (.snapshot, _): try await Snapshots.measure(place)
        case (.pause, _): try await Snapshots.pause(place)
        case (.idle, _): try await Idle.measure(place)
        case (.network, _): try await Work.network(place)
        case (.compute, _): try await Work.compute(place)
        }
    }
}

/// Whose cost it is.
enum Kind: String, CaseIterable {
    case process, namespaces, crun, runc, uml
    /// No environment: a process of the node.
    case native
    /// A process in a network namespace that is joined to the node by hand.
    case veth
    /// The runtime's own time: a bundle like that of the backend, without it.
    case crunByHand = "crun-by-hand"
    case runcByHand = "runc-by-hand"
    /// The memory of a container of runc's, without its files.
    case criu
}

/// A command line, understood.
struct Order {
    let measure: Measure
    let kind: Kind
    var disk = Disk.plain
    var sizes = [64]
    var repeats = 3
    var criu: String?
    /// The directory in which everything is.
    var work = "/tmp"

    init?(_ arguments: some Sequence<String>) {
        let words = Array(arguments)
        guard words.count >= 2, let measure = Measure(rawValue: words[0]), let kind = Kind(rawValue: words[1]) else {
            return nil
        }
        self.measure = measure
        self.kind = kind
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { return nil }
            switch parts[0] {
            case "disk":
                guard let disk = Disk(rawValue: parts[1]) else { return nil }
                self.disk = disk
            case "sizes":
                let sizes = parts[1].split(separator: ",").map { Int($0) ?? 0 }
                guard !sizes.isEmpty, sizes.allSatisfy((1...1024).contains) else { return nil }
                self.sizes = sizes
            case "repeats":
                guard let repeats = Int(parts[1]), (1...100).contains(repeats) else { return nil }
                self.repeats = repeats
            case "criu": criu = parts[1]
            case "work": work = parts[1]
            default: return nil
            }
        }
    }
}

/// Why something could not be measured.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
