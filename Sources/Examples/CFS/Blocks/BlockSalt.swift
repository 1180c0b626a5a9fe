/// Twenty bytes that tell the blocks of one key from each other (CFS 2004, `salt_t`).
public struct BlockSalt: Hashable, Sendable {
    /// How many bytes one has.
    public static let byteCount = 20

    /// The bytes.
    public let bytes: [UInt8]

    /// The salt of a file system's root.
    public static let zero = Self(unchecked: Array(repeating: 0, count: byteCount))

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// A salt; nil if there are not 20 bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(unchecked: bytes)
    }
}
