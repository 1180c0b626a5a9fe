import ExampleFleet
import IrisLogFleet
import VersionKitModel
import VersionKitProcesses

/// The publishers of a fleet's application at work: two keys, one of which has signed the releases, and by `versionctl` what
/// they sign with both.
struct FleetPublishers: Sendable {
    /// The root that nodes pin.
    let root: String
    /// The channel, as it is now.
    let channel: String
    let keys: [String]
    private let programs: String

    init(directory: String, releases: TestReleases) async throws {
        programs = releases.programs
        root = directory + "/root-1.json"
        channel = directory + "/channel.json"
        keys = ["/run/releases/publisher.key", directory + "/second.key"]
        let second = try await versionctl("release", "keys", "--output", keys[1])
        try await versionctl(
            "trust", "root", "make", "--application", "irislog", "--expires", "1d", "--output", root, releases.key,
            second.split(separator: "\n").joined())
        for key in keys { try await versionctl("trust", "root", "sign", root, "--key", key) }
        try await versionctl("channel", "make", "--application", "irislog", "--expires", "1d", channel)
    }

    /// Offers a release until then.
    func offer(_ release: String, expires: String = "1d") async throws {
        try await versionctl("channel", "offer", channel, release, "--expires", expires)
        try await sign()
    }

    func withdraw(_ version: Version, reason: String) async throws {
        try await versionctl("channel", "withdraw", channel, "\(version)", "--reason", reason, "--expires", "1d")
        try await sign()
    }

    func renew(expires: String) async throws {
        try await versionctl("channel", "renew", channel, "--expires", expires)
        try await sign()
    }

    /// Makes the next root, which leaves out the key that has signed the releases, and gives it to a node.
    func revokeReleaseKey(on node: FleetNode) async throws {
        let next = root + ".next"
        let shown = try await versionctl("trust", "root", "show", root)
        guard let second = shown.split(separator: "\n").last?.split(separator: " ").dropFirst().first else {
            throw FleetError("the root has no second key: \(shown)")
        }
        try await versionctl(
            "trust", "root", "make", "--from", root, "--expires", "1d", "--output", next, "\(second)")
        for key in keys { try await versionctl("trust", "root", "sign", next, "--key", key) }
        try await versionctl("trust", "root", "verify", next, "--after", root)
        try await versionctl("trust", "root", "publish", next, "--socket", node.directory + "/control.sock")
    }

    private func sign() async throws {
        for key in keys { try await versionctl("channel", "sign", channel, "--key", key) }
    }

    /// Gives a node the channel as it is now.
    func publish(to node: FleetNode) async throws {
        try await versionctl("channel", "publish", channel, "--socket", node.directory + "/control.sock")
    }

    /// Runs versionctl, which has to succeed; what it printed.
    @discardableResult
    func versionctl(_ arguments: String...) async throws -> String {
        let result = try await Command.run(programs + "/versionctl", arguments)
        guard result.exit.isSuccess else {
            throw FleetError("versionctl \(arguments.joined(separator: " ")): \(result.exit): \(result.output)")
        }
        return result.output
    }
}
