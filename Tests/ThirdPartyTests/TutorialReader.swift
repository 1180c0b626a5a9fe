import ExampleFleet
import FoundationEssentials
import Glibc
import Testing
import VersionKitControl
import VersionKitModel
import VersionKitProcesses
import VersionKitTestbed

/// Somebody who follows the tutorial for memcached, on a host of a testbed, in a directory of their own.
///
/// What is typed is run as it stands, with these exceptions:
///
/// - The proxy is the one that was built with the tests, and finds the Swift runtime beside itself.
/// - The new server is the old one once more.
/// - The node's state is in the sandbox, its publisher is the one of the step before, and a minute is 300 ms.
/// - Whoever types waits for versiond, and for a version to serve.
final class TutorialReader {
    private static let directory = "/run/tutorial"
    private static let control = "/run/versionkit/control.sock"

    private let programs: String
    private let testbed: Testbed
    private let host: TestbedHost
    private let client = ControlClient(path: TutorialReader.control)
    /// The publisher's public key.
    private var key = ""
    /// What memcached answered to each line that asks it, until it closed the connection.
    private(set) var answers: [String] = []
    /// A client who stays.
    private var guest: TextClient?
    /// What it got while version 2 came.
    private(set) var guestsAnswers: Set<String> = []

    /// - Parameter address: the host's, as in the text.
    init(address: String) throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        try makeDirectory(Self.directory)
        programs = try Programs.directory()
        var plan = TestbedPlan()
        plan.segment("lan")
        plan.host("n1", address: address, on: "lan")
        testbed = try Testbed(plan)
        host = try #require(testbed["n1"])
    }

    deinit { testbed.stop() }

    func follow(_ step: TutorialStep) async throws {
        switch step {
        case .write(let file, let text):
            if file == "release-2.json" { try await shell("cp -R root-1 root-2") }
            try write(adapted(text), to: "\(Self.directory)/\(file)")
        case .type(let line):
            switch line.prefix(while: { $0 != " " }) {
            case "swift": try await copyProxy()
            case "versiond": try await start(line)
            case "printf": try await ask(line)
            case "versionctl" where line.contains(" publish memcached-1"):
                try await shell(line)
                try await wait(for: "version 1") { $0.serves(only: 1) }
            case "versionctl" where line.contains(" status "): try await watch()
            default: try await shell(line)
            }
        }
    }

    private func adapted(_ text: String) -> String {
        [("ed25519:...", key), ("/var/lib/versionkit", Self.directory + "/state"), ("60000", "300")]
            .reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    /// The shell's variables: it finds the built programs by their names.
    private var environment: [String: String] {
        ProcessInfo.processInfo.environment.merging(["PATH": "\(programs):/usr/sbin:/usr/bin:/sbin:/bin"]) { $1 }
    }

    private func shell(_ line: String) async throws {
        let (host, environment) = (host, environment)
        let result = try await tryOnThread("shell") {
            try host.run(
                "/bin/sh", ["-c", line], environment: environment, directory: Self.directory,
                timeout: TwoVersions.patience)
        }
        guard result.exit.isSuccess else { throw FleetError("\(line): \(result.exit): \(result.errors)") }
        let words = result.output.split(whereSeparator: \.isWhitespace)
        if let printed = words.first(where: { $0.hasPrefix("ed25519:") }) { key = String(printed) }
    }

    private func copyProxy() async throws {
        let workshop = Workshop(programs: programs, directory: Self.directory)
        try await workshop.copyStaticPrograms(["memcached-proxy"], to: Self.directory + "/.build/release")
        try await workshop.copyPrograms(["memcached-proxy"], to: Self.directory + "/root-1/opt/memcached")
    }

    private func start(_ line: String) async throws {
        let words = line.split(separator: " ").filter { $0 != "&" }.map(String.init)
        _ = try host.spawn(
            "\(programs)/\(words[0])", Array(words.dropFirst()), environment: environment, directory: Self.directory,
            output: .file(Self.directory + "/versiond.log"))
        try await wait(for: "versiond") { _ in true }
    }

    /// `printf 'BYTES' | nc ADDRESS PORT`.
    private func ask(_ line: String) async throws {
        let parts = line.split(separator: "'")
        try #require(parts.count == 3)
        let text = String(parts[1]).replacing("\\r", with: "\r").replacing("\\n", with: "\n")
        let words = parts[2].split(separator: " ")
        try #require(words.prefix(2) == ["|", "nc"] && words.count == 4)
        let endpoint = try #require(Endpoint("\(words[2]):\(words[3])"))
        let client = try TextClient(host: host, to: endpoint)
        client.send(text)
        answers.append(client.rest())
        if guest == nil { guest = try TextClient(host: host, to: endpoint) }
    }

    /// Until version 2 is all that there is, with a client who goes on.
    private func watch() async throws {
        try await wait(for: "version 2 alone") { status in
            guest?.send("get greeting\r\n")
            guestsAnswers.insert((0..<3).map { _ in guest?.line() ?? "nothing" }.joined(separator: " "))
            if status.version(2)?.state == .failed { throw FleetError(status.version(2)?.reason ?? "no reason") }
            return status.serves(only: 2)
        }
    }

    private func wait(for what: String, until isReached: (NodeStatus) throws -> Bool) async throws {
        let deadline = ContinuousClock.now + TwoVersions.patience
        var last: NodeStatus?
        while ContinuousClock.now < deadline {
            last = await status()
            if let last, try isReached(last) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        let log = (try? String(contentsOfFile: Self.directory + "/versiond.log", encoding: .utf8)) ?? "no log"
        throw FleetError("no \(what); last: \(last.map(StatusTable.text) ?? "no answer")\n\(log.suffix(4000))")
    }

    private func status() async -> NodeStatus? {
        let client = client
        guard case .status(let status)? = try? await tryOnThread("ask", { try client.ask(.status) }) else { return nil }
        return status
    }
}
