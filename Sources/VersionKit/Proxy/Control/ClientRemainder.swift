/// What a newer proxy needs to go on with a client's connection, beside its descriptor.
public struct ClientRemainder: Sendable, Hashable {
    /// Requests to be read before whatever the client sends next: those that bring a fresh connection into the
    /// client's session, and the beginning of one that is not complete.
    public var bytes: [UInt8]
    /// How many of the first requests the client gets no reply to: it got them long ago.
    public var silentReplies: Int

    /// A remainder.
    public init(bytes: [UInt8] = [], silentReplies: Int = 0) {
        self.bytes = bytes
        self.silentReplies = silentReplies
    }
}
