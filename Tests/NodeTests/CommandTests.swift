import ExampleFleet
import FoundationEssentials
import Foundation
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses

@Suite("versionctl", .serialized)
struct CommandTests {
    private func versionctl(_ arguments: String...) async throws -> Command.Result {
        try await Command.run(try Programs.directory() + "/versionctl", arguments)
    }

    @Test("status tells people and machines the same")
    func status() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let socket = fleet.nodes[0].directory + "/control.sock"
        let text = try await versionctl("status", "--socket", socket)
        #expect(text.exit.isSuccess)
        #expect(text.output.contains("version 1: serving"))
        #expect(text.output.contains("Prep FS"))
        let json = try await versionctl("status", "--json", "--socket", socket)
        let status = try JSONDecoder().decode(NodeStatus.self, from: Data(json.output.utf8))
        #expect(status.serves(only: 1))
    }

    @Test("history tells events and stages, explain what comes next, status of several nodes who does not answer")
    func views() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let socket = fleet.nodes[0].directory + "/control.sock"
        let history = try await versionctl("history", "irislog", "--json", "--socket", socket)
        let known = try JSONDecoder().decode(HistoryStatus.self, from: Data(history.output.utf8))
        #expect(known.upgrades.first?.stages.isEmpty == false)
        #expect(known.events.allSatisfy { $0.text.contains("irislog") })
        let text = try await versionctl("history", "--socket", socket)
        #expect(text.output.contains("Prep FS: "))
        let explained = try await versionctl("explain", "irislog", "--socket", socket)
        #expect(explained.exit.isSuccess)
        #expect(explained.output.contains("irislog 1: serving"))
        #expect(try await versionctl("explain", "other", "--socket", socket).exit == .code(1))
        let words = try await versionctl(
            "explain", "flow", "irislog", "1", "10.99.200.1", "7100/udp", "--socket", socket)
        let object = try await versionctl(
            "explain", "flow", "irislog", "1", "10.99.200.1", "7100/udp", "--json", "--socket", socket)
        let flow = try JSONDecoder().decode(FlowStatus.self, from: Data(object.output.utf8))
        #expect(flow.application.rawValue == "irislog" && flow.version == 1 && flow.peer.description == "10.99.200.1")
        #expect(flow.port == .udp(7100) && flow.path == .untouched && flow.reason == .notRegistered)
        #expect(flow.explanation.hasPrefix("irislog 1 -> 10.99.200.1 port 7100"))
        #expect(words.output.contains(flow.explanation))
        let both = try await versionctl("status", "--socket", socket, "--socket", "/run/nothing.sock")
        #expect(both.exit == .code(69))
        #expect(both.output.contains("version 1: serving"))
        let metrics = try await tryOnThread("metrics") { try ControlClient(path: socket).ask(.metrics) }
        guard case .metrics(let numbers) = metrics else {
            Issue.record("\(metrics)")
            return
        }
        #expect(numbers.contains(#"version_state{application="irislog",version="1",state="serving"} 1"#))
    }

    @Test("a log in JSON has one object a line, with time, level, message and what belongs to it")
    func jsonLog() async throws {
        let fleet = try await TestFleet(hosts: 1, settings: [#""logFormat": "json""#])
        try await fleet.nodes[0].publish(fleet.releases.crashing2)
        try await fleet.wait(for: "failure", on: fleet.nodes[0]) { $0.version(2)?.state == .failed }
        struct Line: Decodable {
            var level: String
            var message: String
        }
        let log = try String(contentsOfFile: fleet.nodes[0].directory + "/versiond.log", encoding: .utf8)
        let lines = try log.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.contains { $0.level == "error" && $0.message.contains("version 2 of irislog is taken away: ") })
        #expect(lines.contains { $0.message == "version 1 of irislog serves" })
    }

    @Test("a refusal ends with 1, a missing versiond with 69, wrong usage with 64, each with a message")
    func exitCodes() async throws {
        let fleet = try await TestFleet(hosts: 1)
        let socket = fleet.nodes[0].directory + "/control.sock"
        let refused = try await versionctl("rollback", "irislog", "--socket", socket)
        #expect(refused.exit == .code(1))
        #expect(refused.output.contains("the only one that runs"))
        let missing = try await versionctl("status", "--socket", "/run/nothing.sock")
        #expect(missing.exit == .code(69))
        #expect(missing.output.contains("no versiond answers"))
        let wrong = try await versionctl("rollback")
        #expect(wrong.exit == .code(64))
        let outside = try await versionctl("register", "7100", "--socket", socket)
        #expect(outside.exit == .code(1))
        #expect(outside.output.contains("from inside"))
    }

    @Test("a fleet's key is made once, for its owner alone, and a second one is refused")
    func fleetKey() async throws {
        let path = NSTemporaryDirectory() + UUID().uuidString + ".key"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let made = try await versionctl("fleet-key", "--out", path)
        #expect(made.exit.isSuccess, "\(made.output)")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        let again = try await versionctl("fleet-key", "--out", path)
        #expect(again.exit == .code(1))
        #expect(again.output.contains("exists already"))
    }

    @Test(
        "the commands about ports and peers say how they are used",
        arguments: [
            "register", "renew", "unregister", "ports", "forget-peer", "fleet-key", "retire",
        ])
    func help(command: String) async throws {
        let help = try await versionctl(command, "--help")
        #expect(help.exit.isSuccess)
        #expect(help.output.contains("Example"))
        #expect(help.output.contains("versionctl \(command)"))
    }

    @Test("a new adapter is a whole package, made once and only for a name that an application can have")
    func newAdapter() async throws {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let package = folder + "/key-store"
        let made = try await versionctl("new", "adapter", "key-store", "--output", package)
        #expect(made.exit.isSuccess, "\(made.output)")
        for path in [
            "Package.swift", "README.md", "release.json", ".gitignore",
            "Sources/KeyStoreAdapter/KeyStoreAdapter.swift", "Sources/key-store-proxy/KeyStoreProxy.swift",
            "Tests/KeyStoreAdapterTests/KeyStoreAdapterTests.swift",
        ] {
            let text = try String(contentsOfFile: package + "/" + path, encoding: .utf8)
            #expect(!text.isEmpty && !text.contains("__"), "\(path)")
        }
        let manifest = try String(contentsOfFile: package + "/Package.swift", encoding: .utf8)
        #expect(manifest.contains("https://github.com/versionkit/versionkit"))
        let again = try await versionctl("new", "adapter", "key-store", "--output", package)
        #expect(again.exit == .code(64))
        #expect(again.output.contains("exists already"))
        for name in ["Key", "1key", "key_store", "key-", "../key"] {
            let wrong = try await versionctl("new", "adapter", name, "--output", folder + "/wrong")
            #expect(wrong.exit == .code(64), "\(name)")
            #expect(wrong.output.contains("no application's name"))
        }
        #expect(!FileManager.default.fileExists(atPath: folder + "/wrong"))
    }
}
