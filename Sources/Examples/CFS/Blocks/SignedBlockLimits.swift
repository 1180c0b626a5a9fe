/// Bounds of signed blocks.
public enum SignedBlockLimits {
    /// Bytes of one block as it is stored: what a gateway lets through.
    public static let blockBytes = 1024 * 1024
    /// Bytes that are signed.
    public static let signedBytes = 64 * 1024
}
