import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitControl
import VersionKitJournal
import VersionKitProcesses
import VersionKitTestbed

/// What tests of hot restarts look at: a versiond as the kernel sees it, and other versionds to go on as.
struct RestartedNode {
    let node: FleetNode

    private var pid: Int32 { node.process.pid }

    /// The agents of environments and the proxies.
    var children: Set<Int32> { proxies.union(agents) }

    /// The proxies among what versiond itself has started: it may be asking `nft` or `ip` for something at any time.
    var proxies: Set<Int32> {
        ProcessFiles.children(of: pid).filter { ProcessFiles.program(of: $0)?.hasSuffix("-proxy") == true }
    }

    private var agents: Set<Int32> { ProcessFiles.agents(state: "\(node.directory)/state") }

    /// How many descriptors versiond has of each kind: sockets, pipes, files by their paths.
    var descriptors: [String: Int] {
        var kinds: [String: Int] = [:]
        for name in ProcessFiles.names("/proc/\(pid)/fd") {
            var buffer = [CChar](repeating: 0, count: 4096)
            let path = "/proc/\(pid)/fd/\(name)"
            guard readlink(path, &buffer, buffer.count - 1) > 0 else { continue }
            let target = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            kinds[String(target.prefix { $0 != ":" || target.hasPrefix("/") }), default: 0] += 1
        }
        return kinds
    }

    /// The same when all of versiond has begun. Its part in swarms does so behind it: then sockets are added, and for a
    /// moment the library reads certificates.
    func settledDescriptors(_ fleet: TestFleet) async throws -> [String: Int] {
        try await fleet.wait(for: "a port for peers and closed files", on: node) { status in
            status.swarm?.port != nil && !descriptors.keys.contains { $0.hasPrefix("/etc/") }
        }
        return descriptors
    }

    /// `versionctl restart`.
    func restart(_ arguments: String...) async throws -> Command.Result {
        try await Command.run(
            try Programs.directory() + "/versionctl",
            ["restart", "--socket", "\(node.directory)/control.sock"] + arguments)
    }

    /// Restarts, and expects it to be done.
    @discardableResult
    func restarts(_ arguments: [String] = []) async throws -> RestartStatus {
        let result = try await Command.run(
            try Programs.directory() + "/versionctl",
            ["restart", "--json", "--socket", "\(node.directory)/control.sock"] + arguments)
        guard result.exit.isSuccess else {
            throw FleetError("no restart: \(result.output)\n\(log.suffix(4000))")
        }
        return try JSONDecoder().decode(RestartStatus.self, from: Data(result.output.utf8))
    }

    /// What versiond has logged.
    var log: String { (try? String(contentsOfFile: node.directory + "/versiond.log", encoding: .utf8)) ?? "" }

    /// A versiond that does something first.
    ///
    /// - Parameter script: shell; `$state` is the descriptor of the state.
    func versiond(_ name: String, doing script: String) throws -> String {
        let path = "\(node.directory)/\(name)"
        try write(
            """
            #!/bin/bash
            real='\(try Programs.directory())/versiond'
            [ "$1" = --handover-format ] && exec "$real" "$@"
            state="${@: -1}"
            \(script)
            exec "$real" "$@"

            """, to: path)
        guard chmod(path, 0o755) == 0 else { throw SystemError("chmod") }
        return path
    }

    /// Has versiond stand still at the next boundary that it comes to.
    func pauseNext() throws { try write("1 \(CrashPoint.pause)\n", to: node.crashPoints) }

    /// Has a versiond that stops at its boundaries go on until it is about to do what this is the name of.
    func hold(at name: String) async throws {
        let deadline = ContinuousClock.now + TestFleet.patience
        while true {
            while CrashPoint.left(in: node.crashPoints) != 0 || !ProcessFiles.isStopped(node.process.pid) {
                guard ContinuousClock.now < deadline else {
                    throw FleetError("versiond did not come to '\(name)', but to '\(node.crashPoint)'")
                }
                try await Task.sleep(for: .milliseconds(5))
            }
            if node.crashPoint.contains(name) { return }
            try pauseNext()
            node.process.signal(SIGCONT)
        }
    }

    /// The migrators among what versiond itself has started.
    var migrators: Set<Int32> {
        ProcessFiles.children(of: pid).filter { ProcessFiles.program(of: $0)?.hasSuffix("-migrate") == true }
    }

    /// The processes of versions: what agents started.
    var versions: Set<Int32> {
        agents.reduce(into: []) { $0.formUnion(ProcessFiles.children(of: $1)) }
    }
}
