import Glibc
import VersionKitModel

/// An environment that is a machine of User Mode Linux.
struct UMLEnvironment: AgentEnvironment {
    let connection: AgentConnection
    let link: EnvironmentLink
    let place: Place

    var addresses: HostAddresses { link.addresses }
    var interface: String? { link.interface }
    var seesRunDirectory: Bool { false }
    var agent: AgentAddress { link.machineAgent }
    var log: String { place.log }

    /// Tasks and memory are those inside; processor time is what the machine took of the node, its kernel's included.
    func usage() async throws(IsolationError) -> ResourceUsage {
        var usage = try await connection.usage()
        usage.processorSeconds = place.machineProcess.processorSeconds
        return usage
    }

    func pause() async throws(IsolationError) { try await place.console.ask(.stop) }

    func resume() async throws(IsolationError) { try await place.console.ask(.go) }

    func snapshot(
        _ level: SnapshotLevel, into directory: String
    ) async throws(IsolationError) -> SnapshotReport {
        guard level == .files else { throw .cannot("keep memory", .uml) }
        guard mkdir(directory, 0o700) == 0 else { throw .system("make the directory \(directory)") }
        let snapshot = MachineSnapshot(directory: directory)
        do throws(IsolationError) {
            try await snapshot.keepLayers(place)
            // Most of what has to be written is written while the version works.
            try await connection.ask(["sync"])
            let paused = try await whileStill { () async throws(IsolationError) in try await snapshot.take(place) }
            return SnapshotReport(paused: paused, bytes: snapshot.bytes)
        } catch {
            try? await removeTree(directory)
            throw error
        }
    }

    /// - Returns: for how long the machine stood still.
    private func whileStill(
        _ body: () async throws(IsolationError) -> Void
    ) async throws(IsolationError) -> Duration {
        let began = ContinuousClock.now
        do throws(IsolationError) {
            try await pause()
            try await body()
        } catch {
            // Also if nobody knows whether it was stopped.
            try? await resume()
            throw error
        }
        try await resume()
        return .now - began
    }

    func stop(_ teardown: Teardown) async {
        // What stands still hears nothing.
        if place.process.pid != nil { try? await resume() }
        // If it has a share: on a small one it takes longer to end than anybody waits, and would be killed.
        try? Cgroup(of: place).hold(UMLMachine.wholeShare)
        let milliseconds = Int(teardown.gracePeriod / .milliseconds(1))
        let asked = Task { _ = try? await connection.ask(["stop", "\(milliseconds)"]) }
        let limit = teardown.gracePeriod + UMLBackend.powerOffLimit
        _ = await place.machineProcess.waitUntilOff(limit: limit)
        // Ends the question, too, if it was not answered.
        connection.close()
        await asked.value
        await waitUntilGone()
    }

    func waitUntilGone() async { try? await place.machineProcess.kill() }
}
