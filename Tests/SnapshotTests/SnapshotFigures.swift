import Foundation
import Synchronization
import Testing
import VersionKitIsolation

/// What snapshots cost, in a few small ones. `VERSIONKIT_SNAPSHOT_MEGABYTES=32,64,128` makes larger ones, seven times each:
/// docs/snapshots.md has the figures.
@Suite("What snapshots cost", .serialized)
struct SnapshotFigures {
    private static let chosen = ProcessInfo.processInfo.environment["VERSIONKIT_SNAPSHOT_MEGABYTES"]
    static let megabytes = chosen?.split(separator: ",").compactMap { Int($0) } ?? [4]
    private static let rounds = chosen == nil ? 1 : 7

    @Test("the files of an environment", arguments: LoopDisk.Kind.allCases, megabytes)
    func files(kind: LoopDisk.Kind, megabytes: Int) async throws {
        try await withDisk(kind) { root in
            try Subvolume.makeDirectory("\(root)/base")
            // As many files as applications have: one for 50 kB.
            try await sh("mkdir '\(root)/base/upper'; cd '\(root)/base/upper'; \(Self.writeFiles(megabytes * 20))")
            var figures = Figures(["pause", "total", "unwritten: pause", "unwritten: total"])
            for _ in 0..<Self.rounds {
                for dirty in [false, true] {
                    if dirty { try await sh("cd '\(root)/base/upper'; \(Self.writeFiles(80))") }
                    let taken = try await FileSnapshot.take(
                        ["upper"], of: "\(root)/base", to: "\(root)/copy", limit: .seconds(60), pausing: Self.nobody)
                    #expect(taken.method == kind.expectedMethod)
                    figures.add(taken.pause, (dirty ? "unwritten: " : "") + "pause")
                    figures.add(taken.total, (dirty ? "unwritten: " : "") + "total")
                    try Subvolume.removeDirectory("\(root)/copy")
                }
            }
            figures.print("files \(kind) \(megabytes) MB")
        }
    }

    @Test("the memory of a container", arguments: megabytes)
    func memory(megabytes: Int) async throws {
        var figures = Figures(["still", "pause", "total", "gap", "restore", "answer"])
        for _ in 0..<Self.rounds {
            try await withContainers { containers in
                let container = try await containers.start(megabytes: megabytes)
                let client = try await MemoryClient(container)
                let asking = AskingClient(client)
                let clone = try await containers.make()
                try await sh("rm -r '\(clone.bundle)/data'")
                let images = "\(containers.folder)/images"
                let still = Mutex(Duration.zero)
                let taken = try await FileSnapshot.take(
                    ["upper"], of: "\(container.bundle)/data", to: "\(clone.bundle)/data", limit: .seconds(60),
                    pausing: FileSnapshot.Pausing(
                        pause: { () throws(IsolationError) in try await runc("pause", container) },
                        resume: { () throws(IsolationError) in try await runc("resume", container) },
                        meanwhile: { () throws(IsolationError) in
                            let time = try await container.dump(to: images, keepsRunning: true)
                            still.withLock { $0 = time }
                        }))
                figures.add(await asking.end(), "gap")
                figures.add(still.withLock { $0 }, "still")
                figures.add(taken.pause, "pause")
                figures.add(taken.total, "total")
                try await sh("mkdir '\(clone.bundle)/data/work'")
                try await containers.mount(clone)
                let start = ContinuousClock.now
                try await clone.restore(from: images, .closed)
                figures.add(.now - start, "restore")
                #expect(try await MemoryClient(clone).ask() != nil)
                figures.add(.now - start, "answer")
            }
        }
        figures.print("memory \(megabytes) MB, with files")
    }

    @Test("the memory of a container, without its files", arguments: megabytes)
    func memoryOnly(megabytes: Int) async throws {
        var figures = Figures(["still", "total", "gap"])
        try await withContainers { containers in
            let container = try await containers.start(megabytes: megabytes)
            let client = try await MemoryClient(container)
            for round in 0..<Self.rounds {
                let asking = AskingClient(client)
                let start = ContinuousClock.now
                figures.add(
                    try await container.dump(to: "\(containers.folder)/images\(round)", keepsRunning: true), "still")
                figures.add(.now - start, "total")
                figures.add(await asking.end(), "gap")
            }
        }
        figures.print("memory \(megabytes) MB")
    }

    private static func writeFiles(_ count: Int) -> String {
        "head -c \(count * 50_000) /dev/urandom | split --bytes=50000 --suffix-length=5 - file-"
    }

    private static var nobody: FileSnapshot.Pausing {
        FileSnapshot.Pausing(pause: { () throws(IsolationError) in }, resume: { () throws(IsolationError) in })
    }
}

/// Medians of what was measured, as a line.
private struct Figures {
    private let names: [String]
    private var values: [String: [Duration]] = [:]

    init(_ names: [String]) { self.names = names }

    mutating func add(_ value: Duration, _ name: String) { values[name, default: []].append(value) }

    func print(_ title: String) {
        let columns = names.map { name in
            let sorted = (values[name] ?? []).sorted()
            let median = sorted.isEmpty ? Duration.zero : sorted[sorted.count / 2]
            return "\(name) \(String(format: "%.1f", median / .milliseconds(1)))"
        }
        Swift.print("figures: \(title): \(columns.joined(separator: ", ")) ms")
    }
}
