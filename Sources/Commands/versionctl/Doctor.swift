import ArgumentParser
import VersionKitControl

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What this node can do, what it cannot, and why: paths of the router, kinds of environments.",
        discussion: """
            Ends with 1 if there is something to do.

            Example:
              versionctl doctor && echo sound
              versionctl doctor --json | jq '.[] | select(.isTrouble)'
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "JSON, for machines.")
    var json = false

    func run() async throws {
        guard case .status(let status) = try node.ask(.status) else { return }
        guard case .isolation(let kinds) = try node.ask(.isolation) else { return }
        let findings = Diagnosis.findings(of: status) + Diagnosis.findings(of: kinds)
        if json {
            try printValue(findings)
        } else {
            for finding in findings { print("\(finding.isTrouble ? "trouble" : "ok     ")  \(finding.text)") }
        }
        if findings.contains(where: \.isTrouble) { throw ExitCode(1) }
    }
}
