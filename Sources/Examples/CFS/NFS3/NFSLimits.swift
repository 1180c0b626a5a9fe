/// What messages of NFS have at most. What the RFC leaves open has a bound here.
public enum NFSLimits {
    /// Bytes of a handle (RFC 1813, `NFS3_FHSIZE`).
    public static let handleBytes = 64
    /// Bytes of a name or a path that are read at all: what is longer than a file system allows gets a status of its own.
    public static let nameBytes = 4096
    /// Bytes of a file in one message.
    public static let dataBytes = 1024 * 1024
    /// Entries of a directory in one message.
    public static let entries = 65_536
    /// Bytes of a path to be mounted (RFC 1813, `MNTPATHLEN`).
    public static let mountPathBytes = 1024
    /// Bytes of the name of a host or a group (RFC 1813, `MNTNAMLEN`).
    public static let mountNameBytes = 255
    /// Mounts, exports, groups and flavors in one message.
    public static let mountItems = 1024
}
