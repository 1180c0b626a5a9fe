import VersionKitModel

/// An environment out of namespaces.
struct NamespaceEnvironment: AgentEnvironment {
    let connection: AgentConnection
    let link: EnvironmentLink
    let place: Place

    var addresses: HostAddresses { link.addresses }
    var interface: String? { link.interface }
    var agent: AgentAddress { place.agent }
    var log: String { place.log }

    func snapshot(
        _ level: SnapshotLevel, into directory: String
    ) async throws(IsolationError) -> SnapshotReport {
        guard level == .files else { throw .cannot("keep memory", .namespaces) }
        return try await FileSnapshot.take(
            place.kept([place.upperName]), of: place.base, to: directory, limit: FileSnapshot.limit,
            pausing: self.pausing(place)
        ).report
    }

    func waitUntilGone() async {
        await place.process.waitUntilGone(kills: false)
        // One that stays is removed when the environment is prepared again, or destroyed.
        try? await place.link.removeLink()
    }
}
