import Glibc
import Synchronization
import VersionKitModel
import VersionKitUpgrade

/// How many bytes a second go by direct transfers of releases, all together: each thread is held up for as long as that
/// takes. ``MigrationPace`` decides how long.
final class TransferLimit: Sendable {
    /// The parts in which bytes go, so that nobody who shares the limit waits for long: what it gives in a 32nd of a second.
    let pieceBytes: Int

    private let pace: Mutex<MigrationPace>
    private let now: @Sendable () -> Duration
    private let pause: @Sendable (Duration) -> Void

    /// A limit, on a clock that only goes forward.
    ///
    /// - Parameters:
    ///   - bytesPerSecond: 1 or more.
    ///   - now: the time.
    ///   - pause: holds the thread up.
    init(
        bytesPerSecond: Int, now: @escaping @Sendable () -> Duration, pause: @escaping @Sendable (Duration) -> Void
    ) {
        pieceBytes = min(max(bytesPerSecond / 32, 1), 256 << 10)
        pace = Mutex(MigrationPace(MigrationRate(bytesPerSecond: bytesPerSecond)))
        self.now = now
        self.pause = pause
    }

    /// A limit in real time.
    convenience init(bytesPerSecond: Int) {
        let start = ContinuousClock.now
        self.init(bytesPerSecond: bytesPerSecond) {
            ContinuousClock.now - start
        } pause: { time in
            let (seconds, attoseconds) = time.components
            var wanted = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
            var left = timespec()
            while nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
        }
    }

    /// So many bytes went, or came: returns when the next ones may.
    ///
    /// - Returns: how long that took.
    @discardableResult
    func wait(for bytes: Int) -> Duration {
        let now = now()
        let time = pace.withLock { $0.take(bytes: bytes, at: now) }
        if time > .zero { pause(time) }
        return time
    }
}

/// The limits of a node's direct transfers: those of its part in the swarm; `nil`: none.
struct TransferLimits: Sendable {
    /// To all routers that ask, together.
    var upload: TransferLimit?
    /// From all routers that are asked, together.
    var download: TransferLimit?
}
