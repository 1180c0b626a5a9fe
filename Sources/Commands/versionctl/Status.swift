import ArgumentParser
import FoundationEssentials
import Glibc
import VersionKitControl
import VersionKitModel

func applicationID(_ text: String) throws -> ApplicationID {
    guard let id = ApplicationID(rawValue: text) else { throw ValidationError("'\(text)' is no application's name") }
    return id
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What runs on this node: versions, stages and their times, router, proxy, peers.",
        discussion: """
            Examples:
              versionctl status
              versionctl status --json | jq '.applications[0].versions'
              versionctl status --watch
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "One JSON object, for machines.")
    var json = false

    @Flag(help: "Again and again until interrupted; on a terminal the table is redrawn.")
    var watch = false

    func run() async throws {
        var before: NodeStatus?
        repeat {
            guard case .status(let status) = try node.ask(.status) else { return }
            if status != before { try show(status, again: before != nil) }
            before = status
            if watch { try await Task.sleep(for: .milliseconds(200)) }
        } while watch
    }

    private func show(_ status: NodeStatus, again: Bool) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = watch ? [.sortedKeys] : [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(status), as: UTF8.self))
        } else {
            if again, isatty(STDOUT_FILENO) == 1 { print("\u{1B}[H\u{1B}[2J", terminator: "") }
            print(StatusTable.text(of: status))
        }
        fflush(nil)
    }
}
