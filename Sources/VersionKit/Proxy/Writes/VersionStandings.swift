package import VersionKitModel

/// Which versions are known to lack what, and so whose state is the truth for the others.
///
/// A value. It keeps one promise: as long as no version is taken off the list, there is for every key a version that has
/// all that was acknowledged of it. So nobody is compared with the others as a whole (``fallen(with:)``) who has
/// something that all of those lack.
package struct VersionStandings: Sendable {
    /// Keys of which a version has another state than the one that counts, until they are copied to it.
    package struct Unlike: Sendable, Hashable {
        package var version: Version
        package var keys: Keys

        package init(version: Version, keys: Keys) { (self.version, self.keys) = (version, keys) }
    }

    private let versions: VersionList
    private let behind: Set<Version>
    private let unlike: [Unlike]

    /// - Parameters:
    ///   - versions: those that run.
    ///   - behind: those of them that miss writes, or whose keys are all compared.
    ///   - unlike: what those lack that are not behind.
    package init(versions: VersionList, behind: Set<Version>, unlike: [Unlike]) {
        self.versions = versions
        self.behind = behind
        self.unlike = unlike
    }

    /// The version whose state of these keys is the truth for `other` (`nil`: for all), or `nil` if there is none.
    package func authority(for other: Version? = nil, in keys: Keys = .none) -> Version? {
        let sound = versions.complete.filter { version in
            version != other && !behind.contains(version)
                && !unlike.contains { $0.version == version && $0.keys.overlaps(keys) }
        }
        return sound.last { versions.role(of: $0) == .full } ?? sound.last
    }

    /// Who is to be compared with the others when it is not known any more what a version has.
    ///
    /// - Returns: that version; or all others, if it is the last that has everything; or nobody yet, if it lacks
    ///   something and each of the others does: single keys have to be copied first.
    package func fallen(with version: Version) -> [Version] {
        guard versions.complete.contains(version), !behind.contains(version) else { return [version] }
        let others = versions.complete.filter { $0 != version && !behind.contains($0) }
        if others.contains(where: isWhole) { return [version] }
        return isWhole(version) || others.isEmpty ? versions.filter { $0 != version } : []
    }

    private func isWhole(_ version: Version) -> Bool { !unlike.contains { $0.version == version } }
}
