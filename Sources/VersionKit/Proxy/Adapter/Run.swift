public import NIOCore
public import VersionKitModel

/// Requests of one client that came one after the other and need no look inside: they are sent as they came, in one
/// piece, and their replies go back in the same way.
///
/// A run has the numbers of its requests. Whatever is unusual turns all runs of the client into exchanges, as if they had
/// been parsed in the first place (`MessageProxy+Expansion`).
@usableFromInline struct Run: Sendable {
    /// What one version answered so far, and the client did not get yet.
    @usableFromInline struct Answer: Sendable {
        @usableFromInline let version: Version
        @usableFromInline var bytes = ByteBuffer()
        @usableFromInline var count = 0

        @inlinable
        init(version: Version) { self.version = version }
    }

    /// The number of its first request.
    @usableFromInline let first: Int
    @usableFromInline let count: Int
    @usableFromInline let client: Version
    @usableFromInline let original: ByteBuffer
    /// Those that ran when it came.
    @usableFromInline let versions: VersionList
    /// The only version that is asked; `nil`: it is written to all.
    @usableFromInline let solo: Version?
    /// Whether it goes by connections that other clients use, too.
    @usableFromInline let isShared: Bool
    /// Whether it has a place in the order of writes.
    @usableFromInline let isOrdered: Bool
    /// Whether it is its turn.
    @usableFromInline var isGranted: Bool
    @usableFromInline var isStarted = false
    /// How many of its answers the client has got.
    @usableFromInline var delivered = 0
    @usableFromInline var answers: [Answer] = []
    /// What the client gets, once that is decided, and the turn of the requests before has not come.
    @usableFromInline var outcome: ByteBuffer?

    @inlinable
    init(
        first: Int, count: Int, from client: Version, original: ByteBuffer, versions: VersionList, solo: Version?,
        isShared: Bool, isOrdered: Bool
    ) {
        self.first = first
        self.count = count
        self.client = client
        self.original = original
        self.versions = versions
        self.solo = solo
        self.isShared = isShared
        self.isOrdered = isOrdered
        isGranted = !isOrdered
    }

    /// The number after its last request.
    @inlinable
    var end: Int { first + count }
}
