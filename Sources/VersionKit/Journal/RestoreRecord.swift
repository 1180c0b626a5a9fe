/// What takes the place of all that a version has: from the moment in which its own files may go until the others are there.
public struct RestoreRecord: Codable, Sendable, Equatable {
    /// The snapshot that it is put back to.
    public var snapshot: String
    /// Whether it gets nothing of that, but only what it was delivered with.
    public var isClean: Bool
    /// Whether it gets the snapshot's files alone, although there is memory, too.
    public var isWithoutMemory = false

    /// A way back that begins.
    public init(snapshot: String, isClean: Bool) { (self.snapshot, self.isClean) = (snapshot, isClean) }
}
