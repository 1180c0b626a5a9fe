/// What a gateway's messages have at most where the protocol says nothing.
public enum GatewayLimits {
    /// Bytes of a block, with its signature. A record of 1024 * 1025 bytes, the historic limit, has room for it.
    public static let blockBytesMax = 1024 * 1024
    /// Nodes on the way to a block.
    public static let pathMax = 1024
    /// Times of the parts of a retrieval.
    public static let timesMax = 1024

    /// The number of the program, in both generations.
    public static let program: UInt32 = 344_448
}
