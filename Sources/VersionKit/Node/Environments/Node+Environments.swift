import Logging
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitReleases

/// What a versiond that was killed has left running: it is adopted, or removed.
extension Node {
    /// Goes on with a version that outlived the versiond that started it. False: there is none.
    func adopt(_ application: ManagedApplication, _ version: Version) async throws -> Bool {
        guard applications[application.id]?.running[version] == nil,
            let environment = try await backend(application.id, version).adopt(specification(application, version))
        else { return false }
        // The one before may have ended while it took a snapshot.
        try await environment.resume()
        let manifest = try store.release(application.id, version).manifest
        try await attach(environment, manifest, application.id, version)
        watch(application.id, version, environment)
        try await updateRouting()
        note("version \(version) of \(application.id) was running and goes on")
        return true
    }

    /// Removes what no record on this node knows of, or what is over.
    func removeOrphans() async {
        var wanted: [IsolationKind: Set<String>] = [:]
        for application in applications.values {
            for record in application.records.values where !record.isGone {
                wanted[isolation(of: record), default: []].insert(environmentName(application.id, record.version))
            }
        }
        do throws(IsolationError) {
            for name in try await backends.removeAll(but: wanted) {
                note("the environment \(name), which nobody owns, was removed")
            }
        } catch {
            note("an environment that nobody owns could not be removed: \(error)", level: .error)
        }
    }

    /// The backend of a version that has an environment, or had one.
    func backend(_ id: ApplicationID, _ version: Version) throws(NodeError) -> any IsolationBackend {
        try backends.backend(applications[id]?.records[version].map(isolation) ?? .namespaces)
    }

    /// Chooses the kind of environment that a version gets from now on.
    func chooseIsolation(_ id: ApplicationID, _ manifest: ReleaseManifest) async throws(NodeError) {
        let kind = try await backends.strongest(for: manifest)
        change(id, manifest.version) { $0.isolation = kind }
    }

    /// Records of older versionds do not say it.
    private func isolation(of record: VersionRecord) -> IsolationKind { record.isolation ?? .namespaces }
}
