public import VersionKitModel

/// Whether a node has room for an upgrade, before anything of it is fetched or begun.
///
/// What is asked for is what the upgrade takes beside what runs already, as both versions run for a while.
public struct Admission: Sendable, Hashable {
    /// What must stay free on the disk, in bytes: for the journal, for logs, and for what versions write meanwhile.
    public static let diskMarginBytes: UInt64 = 32 << 20
    /// What must stay free of the memory, in bytes.
    public static let memoryMarginBytes: UInt64 = 32 << 20
    /// So many upgrades a node does at a time unless it is told otherwise.
    public static let upgradesMaxDefault = 2
    /// How often an upgrade that waits looks again.
    public static let retryDelay = Duration.seconds(2)

    /// Bytes on the disk that the upgrade takes: layers that are not here, all of them unpacked, the old version's files.
    public var diskBytes: UInt64
    /// Bytes of memory that the version takes; 0: nobody says.
    public var memoryBytes: UInt64

    /// An upgrade that takes so much.
    public init(diskBytes: UInt64, memoryBytes: UInt64) {
        self.diskBytes = diskBytes
        self.memoryBytes = memoryBytes
    }

    /// What a node has at this moment.
    public struct Room: Sendable, Hashable {
        /// Free bytes on the disk with the node's state.
        public var diskBytes: UInt64
        /// Bytes of memory that programs could have; `nil`: the kernel does not say.
        public var memoryBytes: UInt64?
        /// How many other upgrades have begun and do not serve yet.
        public var upgrades: Int
        /// How many there may be at a time.
        public var upgradesMax: Int

        /// A node with so much.
        public init(diskBytes: UInt64, memoryBytes: UInt64?, upgrades: Int, upgradesMax: Int) {
            self.diskBytes = diskBytes
            self.memoryBytes = memoryBytes
            self.upgrades = upgrades
            self.upgradesMax = upgradesMax
        }
    }

    /// Why the upgrade cannot begin now, and what to do; `nil`: it can.
    public func obstacle(in room: Room) -> String? {
        if room.upgrades >= room.upgradesMax {
            return "\(room.upgrades) upgrades are under way, and no more than \(room.upgradesMax) may be at a time: it "
                + "begins when one of them serves, or set upgradesMax"
        }
        if let shortage = Self.shortage(diskBytes, Self.diskMarginBytes, room.diskBytes) {
            return "the disk has \(shortage): free some of it, for example by versionctl snapshot remove"
        }
        if let free = room.memoryBytes, memoryBytes > 0,
            let shortage = Self.shortage(memoryBytes, Self.memoryMarginBytes, free)
        {
            return "the memory has \(shortage): end something on the node, or lower the limit memoryBytes"
        }
        return nil
    }

    /// How a need and what is free read together; `nil`: it is enough.
    private static func shortage(_ need: UInt64, _ margin: UInt64, _ free: UInt64) -> String? {
        let (wanted, isTooMuch) = need.addingReportingOverflow(margin)
        guard isTooMuch || free < wanted else { return nil }
        return "\(free >> 20) MiB free, and \((isTooMuch ? need : wanted) >> 20) MiB are needed"
    }
}

extension Admission {
    /// What an upgrade to a release takes.
    ///
    /// - Parameters:
    ///   - missingBytes: of the layers that have to be fetched.
    ///   - packedBytes: of the layers that have to be unpacked.
    ///   - copiedBytes: of the old version's files that are copied.
    ///   - memoryLimit: what the version may use at most.
    public init(
        _ manifest: ReleaseManifest, missingBytes: UInt64, packedBytes: UInt64, copiedBytes: UInt64,
        memoryLimit: UInt64?
    ) {
        // A release knows best what becomes of it; an archive has its files as they are.
        let unpacked = packedBytes == 0 ? 0 : manifest.needs?.diskBytes ?? packedBytes
        let sum = [unpacked, copiedBytes].reduce(missingBytes) { sum, more in
            let (result, isTooMuch) = sum.addingReportingOverflow(more)
            return isTooMuch ? .max : result
        }
        self.init(diskBytes: sum, memoryBytes: manifest.needs?.memoryBytes ?? memoryLimit ?? 0)
    }
}
