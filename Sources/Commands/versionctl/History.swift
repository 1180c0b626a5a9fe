import ArgumentParser
import FoundationEssentials
import VersionKitControl
import VersionKitModel
import VersionKitUpgrade

struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What happened on a node: events, and how long the stages of upgrades took.",
        discussion: """
            Examples:
              versionctl history
              versionctl history irislog --limit 20
              versionctl history --json | jq '.upgrades[].stages'

            Exit codes: 0 done, 1 refused, 64 wrong usage, 69 no versiond answers.
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "Only events that name this application, and its upgrades.", transform: applicationID)
    var application: ApplicationID?

    @Option(help: "The most events, 1 to \(ControlLimits.historyMax).")
    var limit = 100

    @Flag(help: "JSON, for machines.")
    var json = false

    func validate() throws {
        guard 1...ControlLimits.historyMax ~= limit else {
            throw ValidationError("the limit is 1 to \(ControlLimits.historyMax)")
        }
    }

    func run() async throws {
        guard case .history(let history) = try node.ask(.history(application: application, limit: limit)) else {
            return
        }
        if json { return try printValue(history) }
        for event in history.events { print("\(Self.time(event.time))  \(event.text)") }
        for upgrade in history.upgrades where !upgrade.stages.isEmpty {
            print("\(upgrade.application) \(upgrade.version)")
            for stage in upgrade.stages {
                print("  \(Self.time(stage.startedAt))  \(stage.stage.title): \(stage.milliseconds) ms")
            }
        }
    }

    private static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(milliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
