import Glibc

/// The times that a node goes by.
///
/// How long something lasts is measured from the moment in which the node began, by a clock that nobody can set. The time of
/// day, which may jump by days when it is set, is for people, for what expires by a publisher's word, and for what has to be
/// understood by other nodes or after the machine was off.
struct NodeTime: Sendable {
    let began: ContinuousClock.Instant
    private let beganAt: Int64

    /// The times of a node that began so long ago.
    init(age: Duration = .zero) {
        began = ContinuousClock.now - age
        beganAt = Self.ofDay - Self.milliseconds(age)
    }

    /// Since the node began.
    var elapsed: Duration { ContinuousClock.now - began }

    /// Milliseconds since 1970, by the clock.
    static var ofDay: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Milliseconds since 1970, as they go on from what the clock showed when versiond began: right if it was right then, whatever
    /// it was set to since.
    var steady: Int64 { beganAt + Self.milliseconds(elapsed) }

    /// When the clock shows, or showed, this time of the node's, unless it is set: milliseconds since 1970.
    func ofDay(at time: Duration) -> Int64 { Self.ofDay + Self.milliseconds(time - elapsed) }

    private static func milliseconds(_ time: Duration) -> Int64 {
        time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
    }
}
