package import VersionKitModel

/// What a node knows of one snapshot: the metadata beside its files.
package struct SnapshotRecord: Sendable, Hashable, Codable {
    /// Why a snapshot was made.
    package enum Reason: String, Sendable, Hashable, Codable {
        /// A newer version was about to be installed.
        case beforeUpgrade
        /// The version was about to be stopped for good.
        case beforeRetirement
        /// Somebody asked for it.
        case byOperator
    }

    /// Its name.
    package var id: SnapshotID
    /// Whose files they are.
    package var application: ApplicationID
    /// In which version.
    package var version: Version
    /// What is in it.
    package var level: SnapshotLevel
    /// The kind of environment that it was made of: only that kind can go on with it.
    package var kind: IsolationKind
    /// When it was made, in seconds since 1970.
    package var time: Int64
    /// What it takes on the disk, in bytes, those included that it shares with other files.
    package var bytes: UInt64
    /// Why it was made.
    package var reason: Reason

    /// What is known of a snapshot.
    package init(
        id: SnapshotID, application: ApplicationID, version: Version, level: SnapshotLevel, kind: IsolationKind,
        time: Int64,
        bytes: UInt64, reason: Reason
    ) {
        self.id = id
        self.application = application
        self.version = version
        self.level = level
        self.kind = kind
        self.time = time
        self.bytes = bytes
        self.reason = reason
    }
}

/// The name of a snapshot on its node, `irislog-2-1795292089-7f3a`: also the name of its directory.
package struct SnapshotID: Sendable, Hashable, RawRepresentable, Codable, CustomStringConvertible {
    /// The longest name, in bytes.
    package static let lengthMax = 127

    package let rawValue: String
    package var description: String { rawValue }

    /// The snapshot of this name. `nil` if anything but `a-z`, `0-9` and `-` is in it, nothing, or too much.
    package init?(rawValue: String) {
        let allowed = "abcdefghijklmnopqrstuvwxyz0123456789-".utf8
        guard (1...Self.lengthMax).contains(rawValue.utf8.count), rawValue.utf8.allSatisfy(allowed.contains) else {
            return nil
        }
        self.rawValue = rawValue
    }

    /// A new name.
    ///
    /// - Parameters:
    ///   - time: in seconds since 1970.
    ///   - random: what keeps apart those of one second.
    package init(
        _ application: ApplicationID, _ version: Version, time: Int64, using random: inout some RandomNumberGenerator
    ) {
        let suffix = String(UInt32.random(in: 0x1000...0xFFFF, using: &random), radix: 16)
        rawValue = "\(application)-\(version)-\(max(0, time))-\(suffix)"
    }
}
