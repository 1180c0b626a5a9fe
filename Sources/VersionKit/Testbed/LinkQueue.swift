/// One direction of a link: frames go in, and come out when they would arrive at the far end.
///
/// A frame first waits until those before it have left (rate), then takes as long as its own bits take,
/// then travels (delay). Pure: time is passed in, as nanoseconds of any clock that never goes back.
struct LinkQueue<Frame> {
    typealias Nanoseconds = Int64

    /// Frames under way need memory however fast the link is: beyond this they are dropped, too.
    static var bytesHeldMax: Int { 1 << 28 }

    private(set) var traffic = LinkTraffic()

    private struct Entry {
        var frame: Frame
        var bytes: Int
        var due: Nanoseconds
    }

    private let delay: Nanoseconds
    private let bitsPerSecond: Int64?
    private let waitMax: Nanoseconds
    // Due times never decrease, because the delay is constant: the queue is in order of arrival.
    // Those before `first` are gone already; moving the rest down for every frame would cost too much.
    private var entries: [Entry?] = []
    private var first = 0
    private var bytesHeld = 0
    private var lineFreeAt: Nanoseconds = .min

    init(_ link: Link) {
        self.delay = link.delay.nanoseconds
        self.bitsPerSecond = link.rate.map { Int64($0.bitsPerSecond) }
        self.waitMax = Self.duration(ofBytes: link.queueBytesMax, at: self.bitsPerSecond)
    }

    /// When the next frame comes out, if there is one.
    var nextDue: Nanoseconds? { first < entries.count ? entries[first]?.due : nil }

    /// Takes a frame in, or drops it and answers false.
    mutating func enqueue(_ frame: Frame, bytes: Int, at now: Nanoseconds) -> Bool {
        let start = max(lineFreeAt, now)
        let sending = Self.duration(ofBytes: bytes, at: bitsPerSecond)
        let waiting = start - now
        // An idle link takes any frame: one bigger than the queue does not have to wait in it.
        guard waiting == 0 || waiting + sending <= waitMax, bytesHeld + bytes <= Self.bytesHeldMax
        else {
            traffic.framesDropped += 1
            traffic.bytesDropped += bytes
            return false
        }
        lineFreeAt = start + sending
        entries.append(Entry(frame: frame, bytes: bytes, due: lineFreeAt + delay))
        bytesHeld += bytes
        traffic.framesAccepted += 1
        traffic.bytesAccepted += bytes
        return true
    }

    /// Gives out the next frame that has arrived by now.
    mutating func dequeue(at now: Nanoseconds) -> Frame? {
        guard first < entries.count, let entry = entries[first], entry.due <= now else { return nil }
        entries[first] = nil
        first += 1
        bytesHeld -= entry.bytes
        if first >= 64, first * 2 >= entries.count {
            entries.removeFirst(first)
            first = 0
        }
        return entry.frame
    }

    /// Notes that a frame that came out could not be delivered.
    mutating func noteRefused() {
        traffic.framesRefused += 1
    }

    private static func duration(ofBytes bytes: Int, at bitsPerSecond: Int64?) -> Nanoseconds {
        guard let bitsPerSecond else { return 0 }
        return Int64(bytes) * 8_000_000_000 / bitsPerSecond
    }
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
