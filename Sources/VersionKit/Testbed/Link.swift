/// How fast bits leave a link.
public struct Rate: Sendable, Hashable {
    /// In bits of Ethernet frames, without preamble and gap.
    public var bitsPerSecond: Int

    /// A rate in bits per second.
    public init(bitsPerSecond: Int) {
        self.bitsPerSecond = bitsPerSecond
    }

    /// Thousands of bits per second.
    public static func kilobits(_ count: Int) -> Rate { Rate(bitsPerSecond: count * 1000) }

    /// Millions of bits per second.
    public static func megabits(_ count: Int) -> Rate { Rate(bitsPerSecond: count * 1_000_000) }

    /// Thousands of millions of bits per second.
    public static func gigabits(_ count: Int) -> Rate { Rate(bitsPerSecond: count * 1_000_000_000) }
}

/// What a cable does to the frames on it, the same in both directions.
public struct Link: Sendable, Hashable {
    /// From one end to the other, so a round trip takes twice as long.
    public var delay: Duration

    /// Nil: as fast as this machine can.
    public var rate: Rate?

    /// How many bytes may wait for their turn; more are dropped. Without a rate none ever waits.
    public var queueBytesMax: Int

    /// A link with a delay, a rate or both.
    ///
    /// - Parameter queueBytesMax: by default what the rate carries in 100 ms, and at least 128 KiB, which is
    ///   room for two of the 64 KiB packets that a kernel hands to its network card in one piece.
    public init(delay: Duration = .zero, rate: Rate? = nil, queueBytesMax: Int? = nil) {
        self.delay = delay
        self.rate = rate
        self.queueBytesMax = queueBytesMax ?? max(131_072, (rate?.bitsPerSecond ?? 0) / 80)
    }

    /// A cable without properties of its own: the kernel alone carries its frames.
    public static let direct = Link()

    var isDirect: Bool { delay == .zero && rate == nil }
}

/// What one direction of a link has done so far.
public struct LinkTraffic: Sendable, Hashable {
    /// Frames taken in. One frame may stand for many on a real wire (segmentation offload).
    public internal(set) var framesAccepted = 0
    /// Their bytes.
    public internal(set) var bytesAccepted = 0
    /// Frames for which the queue had no room.
    public internal(set) var framesDropped = 0
    /// Their bytes.
    public internal(set) var bytesDropped = 0
    /// Frames the kernel refused at the far end, for example because that interface was down.
    public internal(set) var framesRefused = 0
}
