package import VersionKitControl
package import VersionKitModel

/// What demonstrations and tests ask of a node that has one application.
extension NodeStatus {
    /// The application's version here.
    package func version(_ version: Version) -> VersionStatus? {
        applications.first?.versions.first { $0.version == version }
    }

    /// Whether this version serves, and no other one is on its way or left.
    package func serves(only version: Version) -> Bool {
        guard let application = applications.first else { return false }
        return application.serving == [version]
            && application.versions.allSatisfy { $0.state != .upgrading && ($0.version != version || $0.stage == nil) }
    }
}
