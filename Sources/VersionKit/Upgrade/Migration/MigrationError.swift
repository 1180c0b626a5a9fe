/// Why state could not be copied, in a migrator's words: the reason why the upgrade is undone.
public struct MigrationError: Error, CustomStringConvertible {
    /// What happened.
    public let description: String

    /// An error with these words.
    public init(_ description: String) { self.description = description }
}
