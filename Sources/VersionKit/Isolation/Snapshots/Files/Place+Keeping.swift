import VersionKitReleases

// What is kept of an environment that was stopped, and what the next one gets of it.
extension Place {
    /// Copies what was written to a new directory.
    func keep(_ parts: [String], into directory: String) async throws(IsolationError) -> SnapshotReport {
        try await FileSnapshot.take(kept(parts), of: base, to: directory, limit: FileSnapshot.limit).report
    }

    /// Removes what is not below these paths; `nil`: nothing.
    func prune(_ paths: [String]?) async throws(IsolationError) {
        guard let paths else { return }
        guard !limitedDisk.exists else {
            throw IsolationError(
                "what is on a disk of limited space is carried over as a whole or not at all: have the release say "
                    + "\"method\": \"checkpoint\", or take diskBytes out of the node's limits")
        }
        try await onDiskThread { () throws(IsolationError) in try CarriedPaths(paths).prune(upper) }
    }
}
