import VersionKitModel

/// What the parsers of RESP take at most. The texts of the errors are those of Redis.
public enum RespLimits {
    /// A bulk string: what fits in a message of the framework. (A Redis takes 512 MiB.)
    public static let bulkBytesMax = Limits.standard.messageBytesMax
    /// Words of one request.
    public static let wordsMax = 1 << 20
    /// An inline request, and a simple string or number of a reply.
    public static let lineBytesMax = 64 << 10
    /// Values of one reply that are still to come: each takes three bytes.
    public static let valuesMax = bulkBytesMax / 3
}
