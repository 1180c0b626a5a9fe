import VersionKitModel

/// A container.
struct OCIEnvironment: AgentEnvironment {
    let connection: AgentConnection
    let link: EnvironmentLink
    let place: Place
    let keeper: MemoryKeeper

    var addresses: HostAddresses { link.addresses }
    var interface: String? { link.interface }
    var agent: AgentAddress { place.containerAgent }
    var log: String { place.log }

    func snapshot(
        _ level: SnapshotLevel, into directory: String
    ) async throws(IsolationError) -> SnapshotReport {
        switch level {
        case .files:
            try await FileSnapshot.take(
                place.kept([place.upperName, place.dataName]), of: place.base, to: directory,
                limit: FileSnapshot.limit, pausing: self.pausing(place)
            ).report
        case .memory: try await keepMemory(in: directory)
        }
    }

    /// CRIU keeps no conversation with the node: the one with the agent is interrupted.
    private func keepMemory(in directory: String) async throws(IsolationError) -> SnapshotReport {
        guard place.isKeepable, let version = ControlGroups.current().version else {
            throw .cannot("keep memory", .oci)
        }
        let criu = try await keeper.criu()
        guard await connection.hasStarted() else { throw IsolationError("the version was not started yet") }
        let freezer = ContainerFreezer(Cgroup(of: place).name, version)
        return try await connection.interrupted(agent) { () async throws(IsolationError) in
            try await ContainerSnapshot(directory).take(of: place, criu: criu, freezer: freezer)
        }
    }

    func waitUntilGone() async {
        await place.process.waitUntilGone(kills: false)
        // What is left over is removed when the environment is prepared again, or destroyed.
        try? await place.link.removeLink()
        try? await Cgroup(of: place).remove()
    }
}
