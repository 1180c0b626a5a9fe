public import VersionKitWire

/// Lets each authentic message in once, and only while it is fresh. Bounded: when it cannot remember one more, it lets
/// nothing in until the oldest are stale.
///
/// Each node has two clocks to go by: the time of day, and a steady time, which is what the time of day was when the node began
/// and goes on from there. A clock that is set makes one of them wrong, and which one a node cannot know: so a message is
/// fresh if it is so by either.
///
/// A value: the times, milliseconds since 1970, are arguments.
public struct ReplayGuard: Sendable, Equatable {
    /// How far the clocks of two nodes may differ, the way of the message included, in milliseconds.
    public static let freshness: Int64 = 60_000
    /// Messages that are remembered.
    public static let messagesMax = 8192

    /// Why a message is not let in.
    public enum Refusal: String, Error, Sendable, Hashable, CaseIterable {
        /// Made too long ago, too far in the future, or before this node began to remember.
        case stale = "stale-message"
        /// It came before.
        case replayed = "replayed-message"
        /// Too many messages came within ``ReplayGuard/freshness``.
        case full = "too-many-messages"
    }

    private struct Seen: Hashable {
        var stamp: Int64
        var nonce: [UInt8]
    }

    private var seen: Set<Seen> = []
    private let start: Int64

    /// A guard that remembers from now on, by the steady time. Messages that were made before could have come before, and are
    /// refused.
    public init(since start: Int64) { self.start = start }

    /// Lets a message in, or says why not. Only to be asked of messages whose code is right: the memory is for those.
    ///
    /// - Parameters:
    ///   - steady: the steady time, by which the guard began.
    ///   - clock: the time of day; `nil`: the same.
    public mutating func admit(
        _ message: FleetMessage, at steady: Int64, clock: Int64? = nil
    ) throws(Refusal) {
        let times = [steady, clock ?? steady]
        let age = steady - start
        guard times.contains(where: { Self.isFresh(message.stamp, at: $0) && message.stamp >= $0 - age }) else {
            throw .stale
        }
        let key = Seen(stamp: message.stamp, nonce: message.nonce)
        guard !seen.contains(key) else { throw .replayed }
        if seen.count >= Self.messagesMax {
            seen = seen.filter { seen in times.contains { Self.isFresh(seen.stamp, at: $0) } }
            guard seen.count < Self.messagesMax else { throw .full }
        }
        seen.insert(key)
    }

    private static func isFresh(_ stamp: Int64, at now: Int64) -> Bool { abs(stamp - now) <= freshness }

    /// How many messages are remembered.
    public var count: Int { seen.count }
}
