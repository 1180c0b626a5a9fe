import ExampleFleet
import FoundationEssentials
import Glibc
import Testing
import VersionKitControl
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses

/// dom0 as a node, with a versiond and the counter's releases, and another host on its network.
final class XenNode {
    static let address = IPAddress("203.0.113.1")!
    static let port: UInt16 = 7000
    /// Everything is emulated, and other work may be on the same processors.
    static let patience = Duration.seconds(300)
    private static let counter = ApplicationID(rawValue: "counter")!
    private static let program = "/usr/bin/counter"

    /// The other host's network.
    let outside: Int32
    private let directory: String
    private let programs: String
    private let workshop: Workshop
    private var versiond: ChildProcess

    init() async throws {
        var template = Array("/tmp/xen-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        let programs = try Programs.directory()
        (self.directory, self.programs) = (directory, programs)
        workshop = Workshop(programs: programs, directory: directory)
        outside = try await Self.makeOutside(workshop)
        try await workshop.run("mkdir", ["-p", directory + "/files/usr/bin"])
        try await workshop.run("cp", [programs + "/xen-counter", directory + "/files" + Self.program])
        try write(try await Self.configuration(workshop), to: directory + "/versiond.json")
        versiond = try Self.spawn(programs, directory)
        try await wait(for: "versiond") { _ in true }
    }

    deinit {
        versiond.send(SIGKILL)
        close(outside)
    }

    /// A network with nothing on it but the node and one host, which knows of no environment.
    private static func makeOutside(_ workshop: Workshop) async throws -> Int32 {
        for command in [
            "netns add outside", "link add outside type veth peer name eth0 netns outside",
            "address add \(address)/24 dev outside", "link set outside up",
            "-netns outside address add 203.0.113.2/24 dev eth0", "-netns outside link set eth0 up",
        ] {
            try await workshop.run("ip", command.split(separator: " ").map(String.init))
        }
        return try #require(
            [open("/run/netns/outside", O_RDONLY | O_CLOEXEC)].first { $0 >= 0 }, "there is no namespace")
    }

    private static func configuration(_ workshop: Workshop) async throws -> String {
        let key = try await workshop.makeKey()
        let settings = String(decoding: try JSONEncoder().encode(XenSettings.emulated), as: UTF8.self)
        return """
            {
              "node": "dom0", "address": "\(address)",
              "state": "\(workshop.directory)/state", "control": "\(workshop.directory)/control.sock",
              "isolation": ["xen"], "xen": \(settings), "snapshots": { "beforeUpgrade": true },
              "applications": { "counter": { "publishers": ["\(key)"] } }
            }

            """
    }

    private static func spawn(_ programs: String, _ directory: String) throws -> ChildProcess {
        let log = open(directory + "/versiond.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(log) }
        var options = ChildProcess.Options()
        options.descriptors = [1: log, 2: log]
        return try ChildProcess.spawn(
            programs + "/versiond", ["--config", directory + "/versiond.json"], options: options)
    }

    /// Makes a release of the counter, with its state on a disk of its own, and gives it to the node.
    func publish(_ version: Int) async throws {
        let release = try await workshop.makeRelease(
            "counter-\(version)",
            description: """
                {
                  "application": "counter", "version": \(version), "name": "\(version).0",
                  \(version > 1 ? "\"replaces\": \(version - 1)," : "")
                  "ports": { "client": [\(Self.port)] },
                  "files": "files",
                  "start": ["\(Self.program)", "serve", "\(version)", "\(Self.port)", "/var/lib/counter/count"],
                  "health": { "port": \(Self.port), "startupTimeoutMilliseconds": 120000 },
                  "proxy": "\(Self.program)", "migrator": "\(Self.program)",
                  "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": 300 },
                  "dataPath": "/var/lib/counter", "isolation": ["xen"]
                }

                """)
        try await versionctl("release", "publish", release)
    }

    /// Runs `versionctl`, which has to succeed; what it printed.
    @discardableResult
    func versionctl(_ arguments: String...) async throws -> String {
        // What comes behind "--" is another program's.
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        let socket = ["--socket", directory + "/control.sock"]
        return try await workshop.run(programs + "/versionctl", arguments[..<end] + socket + arguments[end...])
    }

    /// What a program of the counter's prints that runs beside it.
    func exec(_ arguments: String...) async throws -> String {
        let socket = ["--socket", directory + "/control.sock"]
        return try await workshop.run(
            programs + "/versionctl", ["exec", "counter"] + socket + ["--", Self.program] + arguments)
    }

    /// Waits until this version alone serves, and clients reach it.
    func waitUntilServes(_ version: Version) async throws {
        try await wait(for: "version \(version) alone") {
            guard let application = $0.applications.first, application.proxy != nil else { return false }
            if let reason = application.versions.first(where: { $0.version == version })?.reason {
                throw FleetError("version \(version) failed: \(reason)")
            }
            return application.serving == [version]
                && application.versions.allSatisfy { $0.version != version || $0.stage == nil }
        }
    }

    private func wait(for what: String, until isReached: (NodeStatus) throws -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        let client = ControlClient(path: directory + "/control.sock")
        var last = "no answer"
        while ContinuousClock.now < deadline, versiond.exit == nil {
            let answer = try? await tryOnThread("status") { try client.ask(.status) }
            if case .status(let status)? = answer {
                if try isReached(status) { return }
                last = StatusTable.text(of: status)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        let log = try await workshop.run("tail", ["-n", "40", directory + "/versiond.log"])
        throw FleetError("no \(what); last: \(last)\n\(log)")
    }

    /// Kills versiond as a crash would, and starts another one.
    func crash() async throws {
        versiond.send(SIGKILL)
        _ = await versiond.wait()
        versiond = try Self.spawn(programs, directory)
    }

    /// Stops versiond as an operator does, and removes the other host.
    func stop() async throws {
        versiond.send(SIGTERM)
        #expect(await versiond.wait() == .code(0))
        // The other end is in a network that lives as long as whoever has it open.
        try await workshop.run("ip", ["link", "del", "outside"])
        try await workshop.run("ip", ["netns", "del", "outside"])
        // Which the first namespace made.
        try await workshop.run("umount", ["/run/netns"])
        try await workshop.run("rm", ["-rf", directory])
    }
}
