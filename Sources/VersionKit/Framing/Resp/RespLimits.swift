/// What the parsers of RESP take at most. The texts of the errors are those of Redis.
///
/// Computed from literals: parsers ask for them with each word, and a stored one would be checked for its beginning.
public enum RespLimits {
    /// Bytes of a bulk string: what fits in a message of the framework, `Limits.messageBytesMax`. (A Redis takes 512 MiB.)
    @inlinable public static var bulkBytesMax: Int { 17 << 20 }
    /// Words of one request.
    @inlinable public static var wordsMax: Int { 1 << 20 }
    /// Bytes of an inline request, and of a simple string or number of a reply.
    @inlinable public static var lineBytesMax: Int { 64 << 10 }
    /// Values of one reply that are still to come: each takes three bytes.
    @inlinable public static var valuesMax: Int { bulkBytesMax / 3 }
}
