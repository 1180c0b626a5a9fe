/// What the domains of a node have in common.
public struct XenSettings: Sendable, Hashable, Codable {
    /// The path of the kernel that domains boot; an uncompressed one starts quickest.
    public var kernel: String
    /// The path of their first file system: see `scripts/xen/build-image`.
    public var ramdisk: String
    /// Further words for the kernel.
    public var kernelArguments: [String]?
    /// The memory of a domain without a limit of its own, in bytes; by default ``memoryBytesDefault``.
    public var memoryBytes: UInt64?
    /// The size of the disk that a version without a limit writes to, in bytes; it takes up only what is written. By default
    /// ``diskBytesDefault``.
    public var diskBytes: UInt64?
    /// Whether domains use the processor's virtualisation (PVH) and not Xen's own (PV); by default not.
    public var usesHardware: Bool?
    /// The scripts of Xen's that attach interfaces and disks; by default the usual ones.
    public var interfaceScript: String?
    /// See ``interfaceScript``.
    public var diskScript: String?
    /// Where `xenconsoled` keeps what domains print; by default ``consoleLogsDefault``. It has to be started with
    /// `--log=guest`.
    public var consoleLogs: String?
    /// For how many seconds a domain may boot until its agent answers; by default ``bootSecondsDefault``.
    public var bootSeconds: Int?
    /// What the names of domains begin with; no other versiond on this host may use it. By default ``namePrefixDefault``.
    public var namePrefix: String?

    /// 256 MiB.
    public static let memoryBytesDefault: UInt64 = 256 << 20
    /// 4 GiB.
    public static let diskBytesDefault: UInt64 = 4 << 30
    /// Where Debian's Xen has them.
    public static let consoleLogsDefault = "/var/log/xen"
    /// Two minutes.
    public static let bootSecondsDefault = 120
    /// `versionkit-`.
    public static let namePrefixDefault = "versionkit-"

    /// Settings; the rest has defaults.
    public init(kernel: String, ramdisk: String) {
        self.kernel = kernel
        self.ramdisk = ramdisk
    }
}
