/// Bounds of a store in one place.
public enum StoreLimits {
    /// Bytes of blocks and fragments kept, unless somebody says otherwise.
    public static let bytes = 4 << 30
    /// Bytes that wait to be committed: a disk that is slower than the network must not fill memory.
    public static let stagedBytes = 64 << 20
    /// Pages of SQLite's log of changes after which it is carried over into the file: 4 MiB.
    static let logPages = 1000
    /// Bytes of that log that are not given back to the file system.
    static let logBytes = 16 << 20
}
