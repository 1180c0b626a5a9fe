public import NIOCore
public import VersionKitModel

/// What a callback wants done on behalf of one client: the papers' `conn_handler`.
///
/// A value that records. The engine hands one to each callback and carries out what it finds afterwards, in order, so
/// callbacks are pure, and a test needs neither socket nor clock.
///
/// - Note: S 3.4, figure 6; R12.
public struct ConnectionHandler: Sendable {
    /// The versions that run at the time of this callback.
    public let versions: VersionList

    private var recorded: [Action] = []

    /// One thing that the engine does.
    public enum Action: Sendable, Hashable {
        /// Send bytes to a version, on this client's connection to it.
        case send(ByteBuffer, to: Version)
        /// Send bytes to the client.
        case reply(ByteBuffer)
        /// A client got an answer that only this older version could give.
        case needed(Version)
        /// A request was answered; `failed` if the answer says that it was not done.
        case answered(failed: Bool)
        /// Close the client's connection once all bytes before this have left.
        case closeClient
    }

    /// A handler that sees these versions and has nothing recorded.
    public init(versions: VersionList) {
        self.versions = versions
    }

    /// Sends bytes to a version. The bytes belong to the engine from here on.
    ///
    /// - Precondition: the version is in ``versions``; to address another one is a bug of the adapter, and traps.
    public mutating func enqueue(_ bytes: ByteBuffer, to version: Version) {
        precondition(versions.contains(version), "version \(version) is not among the running \(versions)")
        recorded.append(.send(bytes, to: version))
    }

    /// Sends bytes to the client. The bytes belong to the engine from here on.
    public mutating func enqueueClient(_ bytes: ByteBuffer) {
        recorded.append(.reply(bytes))
    }

    /// Closes the client's connection after what was enqueued.
    public mutating func closeClient() {
        recorded.append(.closeClient)
    }

    /// Says that a client's request was answered; the figures that operators see come from this.
    public mutating func noteAnswered(failed: Bool) {
        recorded.append(.answered(failed: failed))
    }

    /// Says that an older version's answer was better than a newer one's: as long as that happens, the old version is
    /// not retired (R18).
    public mutating func noteNeeded(_ version: Version) {
        recorded.append(.needed(version))
    }

    /// What was recorded, in order; the record is empty afterwards.
    public mutating func takeActions() -> [Action] {
        defer { recorded = [] }
        return recorded
    }
}
