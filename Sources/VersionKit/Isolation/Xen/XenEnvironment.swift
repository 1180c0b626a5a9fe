import Glibc
import VersionKitModel
import VersionKitProcesses

/// An environment that is a Xen domain.
struct XenEnvironment: AgentEnvironment {
    /// How long a guest may take to switch itself off, beyond the version's grace period.
    private static let powerOffLimit = Duration.seconds(10)

    let connection: AgentConnection
    let domain: XenDomain
    let link: EnvironmentLink
    let place: XenPlace
    let log: String

    var addresses: HostAddresses { link.addresses }
    var interface: String? { link.interface }
    var seesRunDirectory: Bool { false }
    var agent: AgentAddress { link.agent }

    func pause() async throws(IsolationError) { try await domain.pause() }

    /// Also what a versiond before has left standing, in the middle of a snapshot.
    func resume() async throws(IsolationError) {
        if try await domain.state()?.isPaused == true { try await domain.unpause() }
        try await connection.ask(["resume"])
    }

    /// Processor time is the whole domain's. A paused one tells nothing of what is inside: it has its whole memory, and 0
    /// tasks.
    func usage() async throws(IsolationError) -> ResourceUsage {
        guard let state = try await domain.state() else { throw IsolationError("the environment has ended") }
        var usage = ResourceUsage(memoryBytes: state.memoryBytes, processorSeconds: state.processorSeconds, tasks: 0)
        if !state.isPaused {
            let inside = try await connection.usage()
            (usage.memoryBytes, usage.tasks) = (inside.memoryBytes, inside.tasks)
        }
        return usage
    }

    func snapshot(
        _ level: SnapshotLevel, into directory: String
    ) async throws(IsolationError) -> SnapshotReport {
        guard mkdir(directory, 0o755) == 0 else { throw .system("make \(directory)") }
        let target = XenPlace(base: directory)
        let clock = ContinuousClock()
        let began = clock.now
        switch level {
        case .files: try await copyFiles(to: target)
        case .memory: try await copyMemory(to: target)
        }
        let paused = clock.now - began
        // These never change.
        if level == .memory {
            for name in try place.readOnlyDisks() {
                try await XenDisks.share("\(place.base)/\(name)", at: "\(target.base)/\(name)")
            }
            // Last of all: without it there is no snapshot to go on with.
            try await XenDisks.copy(place.slot, to: target.slot)
        }
        let bytes = (target.writtenDisks + [target.memory]).reduce(0) { $0 + XenDisks.usedBytes($1) }
        return SnapshotReport(paused: paused, bytes: bytes)
    }

    /// The version stands still while the guest writes everything to its disk and that is copied.
    private func copyFiles(to target: XenPlace) async throws(IsolationError) {
        try await connection.ask(["pause"])
        let result: Result<Void, IsolationError>
        do throws(IsolationError) {
            try await connection.ask(["sync"])
            try await XenDisks.copyWritten(place, to: target)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await connection.ask(["resume"])
        try result.get()
    }

    /// What was not written yet is in the guest's memory.
    private func copyMemory(to target: XenPlace) async throws(IsolationError) {
        let result: Result<Void, IsolationError>
        do throws(IsolationError) {
            try await domain.save(to: target.memory)
            try await XenDisks.copyWritten(place, to: target)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await domain.resume()
        try result.get()
    }

    func stop(_ teardown: Teardown) async {
        // What is paused hears nothing.
        try? await domain.unpause()
        let asked = Task {
            _ = try? await connection.ask(["stop", "\(Int(teardown.gracePeriod / .milliseconds(1)))"])
            // Before the domain is gone: that it ends is nobody's business.
            connection.close()
        }
        await end(within: teardown.gracePeriod + Self.powerOffLimit)
        await asked.value
    }

    func waitUntilGone() async { await end(within: Self.powerOffLimit) }

    /// Waits until the guest has switched itself off, and removes what is left of the domain.
    private func end(within limit: Duration) async {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        while clock.now < deadline, let state = try? await domain.state(), !state.isEnded {
            try? await clock.sleep(for: .milliseconds(100))
        }
        // Ends the question, too, if the guest did not answer.
        connection.close()
        try? await domain.destroy()
        try? await link.remove()
        unlink(place.slot)
    }
}

extension EnvironmentLink {
    /// Where the agent of a machine listens.
    var agent: AgentAddress { .tcp(Endpoint(address: addresses.primary, port: AgentAddress.port)) }
}
