import ExampleFleet
import Foundation
import VersionKitTestbed

/// Those who use CFS meanwhile, each at its own host's gateway: readers and writers of both generations, and a publisher.
final class Clients: Sendable {
    private static let forms = ["2004", "2008"]
    /// Blocks that a writer stores at one go.
    private static let batch = 64
    private static let pause = Duration.seconds(1)

    private let publisher: Client
    private let readers: [Client]
    private let writers: [Client]
    private let editor: Client
    private let directory: String

    init(on hosts: [TestbedHost], programs: String, directory: String) throws {
        var number = 0
        func client() throws -> Client {
            number += 1
            return try Client(number, on: hosts[number % hosts.count], programs: programs, directory: directory)
        }
        publisher = try client()
        readers = try Self.forms.map { _ in try client() }
        writers = try Self.forms.map { _ in try client() }
        editor = try client()
        self.directory = directory
    }

    private var all: [Client] { readers + writers + [editor] }

    /// Publishes the tree, as soon as the ring has formed.
    ///
    /// - Returns: the file system's name.
    func publish(_ tree: SampleTree, attempts: Int) async throws -> String {
        let key = try await makeKey("tree", publisher)
        for attempt in 1... {
            do {
                return try await publish(tree.directory, key, by: publisher)
            } catch  where attempt < attempts {
                try await Task.sleep(for: .seconds(1))
            }
        }
        preconditionFailure("attempts without end have one")
    }

    /// Has everybody begin.
    func start(reading name: String, in group: inout ThrowingTaskGroup<Void, any Error>) {
        for (reader, form) in zip(readers, Self.forms) {
            group.addTask { await reader.repeat(Self.pause) { _ in try await Self.verify(name, form, by: reader) } }
        }
        for (writer, form) in zip(writers, Self.forms) {
            group.addTask {
                await writer.repeat(Self.pause) { round in
                    try await writer.run("cfs-dbm", ["store", "--form", form] + Self.blocks(writer, round))
                    return (Self.batch, 0)
                }
            }
        }
        group.addTask { [self] in
            await editor.repeat(Self.pause) { round in
                try await edit(round)
                return (1, 0)
            }
        }
    }

    /// Has everybody end.
    func end() { for client in all { client.end() } }

    /// Adds what everybody did, reads back what was acknowledged, and compares the tree with its files.
    func conclude(_ name: String, _ tree: SampleTree, _ outcome: inout Outcome) async throws {
        for client in all {
            outcome.failed += client.numbers.failed
            for reason in client.numbers.reasons { say("  failed: \(reason)") }
        }
        for reader in readers {
            outcome.reads += reader.numbers.done
            outcome.bytesVerified += reader.numbers.bytes
        }
        for writer in writers {
            outcome.writes += writer.numbers.done
            // A batch that failed is not among them: its blocks are not asked for.
            for round in 0..<(writer.numbers.done / Self.batch + writer.numbers.failed) {
                await complain(&outcome.lost) {
                    try await writer.run("cfs-dbm", ["fetch", "--form", "2008"] + Self.blocks(writer, round))
                }
            }
        }
        outcome.writes += editor.numbers.done
        await complain(&outcome.lost) {
            let text = try await self.editor.run("cfs", ["cat", "--form", "2008", try self.editedName(), "/text"])
            let last = self.editor.numbers.done + self.editor.numbers.failed - 1
            guard String(decoding: text, as: UTF8.self) == Self.text(last) else {
                throw FleetError("the last text is \(String(decoding: text, as: UTF8.self)), not that of round \(last)")
            }
        }
        let copy = "\(directory)/copy"
        await complain(&outcome.failed) {
            try await self.publisher.run("cfs", ["get", "--form", "2008", name, "/", copy])
        }
        let wrong = tree.wrongFiles(in: copy)
        outcome.wrongFiles = wrong.count
        outcome.reads += tree.digests.count - wrong.count
        outcome.bytesVerified += UInt64(tree.bytes)
        for path in wrong.prefix(5) { say("  failed: \(path) is not what it was") }
    }

    private func complain(_ count: inout Int, _ body: () async throws -> Void) async {
        do { try await body() } catch {
            count += 1
            say("  failed: \(error)")
        }
    }

    // MARK: What they do

    private static func verify(
        _ name: String, _ form: String, by client: Client
    ) async throws -> (count: Int, bytes: UInt64) {
        struct Report: Decodable {
            var files: Int
            var fileBytes: UInt64
        }
        let output = try await client.run("cfs", ["verify", "--form", form, "--concurrency", "4", "--json", name])
        let report = try JSONDecoder().decode(Report.self, from: output)
        return (report.files, report.fileBytes)
    }

    /// Which blocks a writer stores in a round: others each time.
    private static func blocks(_ writer: Client, _ round: Int) -> [String] {
        ["--seed", "\(writer.number * 1_000_000 + round)", "--blocks", "\(batch)", "--concurrency", "4"]
    }

    private static func text(_ round: Int) -> String { "text \(round)\n" }

    /// Publishes another text under the same name.
    private func edit(_ round: Int) async throws {
        let place = "\(directory)/edited"
        try makeDirectory(place)
        try write(Self.text(round), to: place + "/text")
        if round == 0 { _ = try await makeKey("edited", editor) }
        let name = try await publish(place, "\(directory)/edited.key", by: editor, snapshots: 0)
        try write(name, to: "\(directory)/edited.name")
    }

    private func editedName() throws -> String {
        try String(contentsOfFile: "\(directory)/edited.name", encoding: .utf8)
    }

    private func makeKey(_ name: String, _ client: Client) async throws -> String {
        let path = "\(directory)/\(name).key"
        try await client.run("cfs", ["key", "make", path])
        return path
    }

    private func publish(
        _ place: String, _ key: String, by client: Client, snapshots: Int = 30
    ) async throws -> String {
        let output = try await client.run(
            "cfs", ["publish", "--key", key, "--snapshots", "\(snapshots)", place])
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
