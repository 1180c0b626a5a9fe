import VersionKitControl
import VersionKitIsolation
import VersionKitModel

/// The kinds of environments that a node was told to use.
struct Backends: Sendable {
    /// The strongest first.
    private let all: [any IsolationBackend]

    /// - Parameter backends: in any order.
    init(_ backends: [any IsolationBackend]) {
        all = IsolationKind.known.compactMap { kind in backends.first { $0.kind == kind } }
    }

    /// The backend of a kind.
    ///
    /// - Throws: ``NodeError`` if it is not configured any more.
    func backend(_ kind: IsolationKind) throws(NodeError) -> any IsolationBackend {
        guard let backend = all.first(where: { $0.kind == kind }) else {
            throw NodeError("environments of the kind \(kind) are not configured on this node: see isolation")
        }
        return backend
    }

    /// The strongest kind that a release allows and this machine has (R2).
    func strongest(for manifest: ReleaseManifest) async throws(NodeError) -> IsolationKind {
        var reasons: [String] = []
        for backend in all where manifest.isolation?.contains(backend.kind) ?? true {
            let status = await status(of: backend)
            if status.isAvailable { return backend.kind }
            reasons += status.findings.filter(\.isRequired).compactMap(\.obstacle).map { "\(backend.kind): \($0)" }
        }
        let allowed = (manifest.isolation ?? IsolationKind.known).map(\.rawValue).joined(separator: ", ")
        let configured = all.map(\.kind.rawValue).joined(separator: ", ")
        throw NodeError(
            "the release allows environments of the kinds \(allowed), the node is configured for \(configured). "
                + reasons.joined(separator: "; "))
    }

    /// What the machine can do for each kind.
    func report() async -> [IsolationStatus] {
        var statuses: [IsolationStatus] = []
        for backend in all { statuses.append(await status(of: backend)) }
        return statuses
    }

    /// Removes all environments but these.
    ///
    /// - Returns: the names of those that were there.
    func removeAll(but wanted: [IsolationKind: Set<String>]) async throws(IsolationError) -> [String] {
        var removed: [String] = []
        for backend in all {
            for name in try await backend.names().subtracting(wanted[backend.kind] ?? []).sorted() {
                try await backend.destroy(name)
                removed.append(name)
            }
        }
        return removed
    }

    private func status(of backend: any IsolationBackend) async -> IsolationStatus {
        IsolationStatus(kind: backend.kind, findings: await backend.probe())
    }
}
