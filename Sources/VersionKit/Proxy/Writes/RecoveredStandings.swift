package import VersionKitModel

/// How versions stand, as far as the logs say that a killed proxy left, where keys can be copied.
///
/// A value. What a proxy acknowledged, a version lacks only if its log says so: so each log is the truth about its
/// version, and which version is the newest says nothing. What is in no log is what no client was told of.
package struct RecoveredStandings: Sendable {
    /// Versions all of whose keys are to be compared.
    package private(set) var behind: Set<Version> = []
    /// Versions that are to be compared, too, but only when the others have got from them what only they have.
    package private(set) var doubted: Set<Version> = []
    /// Single keys that versions lack which are not behind, with the number of the record that says so.
    package private(set) var unlike: [(lack: VersionStandings.Unlike, sequence: UInt64)] = []
    /// Versions that were taken for the truth though their logs say that they lack something: all others do, too. A proxy
    /// sees to it that this never happens, so a log is damaged.
    package private(set) var diverged: Set<Version> = []

    /// - Parameter logs: those of listed versions that are not empty.
    package init(versions: VersionList, logs: [Version: CatchUpRecovery]) {
        for (version, log) in logs.sorted(by: { $0.key < $1.key }) {
            if !log.isOfSingleKeys { behind.insert(version) } else if log.isDoubted { doubted.insert(version) }
            unlike += log.lacking.filter { $0.keys != .everything }.map {
                (.init(version: version, keys: $0.keys), $0.sequence)
            }
        }
        if versions.complete.allSatisfy(behind.contains),
            let newest = Self.newest(versions, of: Array(versions.complete))
        {
            take(newest, for: .everything)
        }
        while let lack = firstWithoutTruth(versions)?.lack {
            let sound = versions.complete.filter { !behind.contains($0) }
            take(Self.newest(versions, of: sound) ?? lack.version, for: lack.keys)
        }
        unlike.removeAll { behind.contains($0.lack.version) }
    }

    private mutating func take(_ version: Version, for keys: Keys) {
        behind.remove(version)
        diverged.insert(version)
        unlike.removeAll { $0.lack.version == version && $0.lack.keys.overlaps(keys) }
    }

    private func firstWithoutTruth(_ versions: VersionList) -> (lack: VersionStandings.Unlike, sequence: UInt64)? {
        let standings = VersionStandings(versions: versions, behind: behind, unlike: unlike.map(\.lack))
        return unlike.first {
            !behind.contains($0.lack.version)
                && standings.authority(for: $0.lack.version, in: $0.lack.keys) == nil
        }
    }

    private static func newest(_ versions: VersionList, of some: [Version]) -> Version? {
        some.last { versions.role(of: $0) == .full } ?? some.last
    }
}
