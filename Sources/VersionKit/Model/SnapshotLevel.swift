/// What a snapshot holds.
public enum SnapshotLevel: String, Sendable, Codable, CaseIterable {
    /// What the version has written, as it was at one moment.
    case files
    /// Its memory, too: it goes on where it was.
    case memory
}
