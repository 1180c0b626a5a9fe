/// What a newer proxy needs to go on with a client's connection, beside its descriptor.
public struct ClientRemainder: Sendable, Hashable {
    /// Requests to be read before whatever the client sends next: those that bring a fresh connection into the
    /// client's session, and the beginning of one that is not complete.
    public var bytes: [UInt8]
    /// How many of the first requests the client gets no reply to: it got them long ago.
    public var silentReplies: Int
    /// The port of the versions that the client's requests go to; `nil`: the one of the list of versions.
    public var versionPort: UInt16?

    /// A remainder.
    public init(bytes: [UInt8] = [], silentReplies: Int = 0, versionPort: UInt16? = nil) {
        self.bytes = bytes
        self.silentReplies = silentReplies
        self.versionPort = versionPort
    }
}
