import VersionKitModel

/// An environment among the node's own processes.
struct ProcessEnvironment: AgentEnvironment {
    let connection: AgentConnection
    let addresses: HostAddresses
    let place: Place

    var interface: String? { nil }
    var seesRunDirectory: Bool { false }
    var agent: AgentAddress { place.agent }
    var log: String { place.log }

    func snapshot(
        _ level: SnapshotLevel, into directory: String
    ) async throws(IsolationError) -> SnapshotReport {
        guard level == .files else { throw .cannot("keep memory", .process) }
        return try await FileSnapshot.take(
            ["root"], of: place.base, to: directory, limit: FileSnapshot.limit,
            pausing: FileSnapshot.Pausing(pause: pause, resume: resume)
        ).report
    }

    func waitUntilGone() async {
        await place.process.waitUntilGone(kills: false)
        // Of an agent that was killed something may be left.
        await Leftovers(of: place).end()
        // A node that stops leaves nothing in the kernel; what cannot be removed now is when the environment is made again.
        try? await Cgroup(of: place).remove()
    }
}
