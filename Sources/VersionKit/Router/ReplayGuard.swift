public import VersionKitWire

/// Lets each authentic message in once, and only while it is fresh. Bounded: when it cannot remember one more, it lets
/// nothing in until the oldest are stale.
///
/// A value: the time, milliseconds since 1970, is an argument.
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

    /// A guard that remembers from now on. Messages that were made before could have come before, and are refused.
    public init(since start: Int64) { self.start = start }

    /// Lets a message in, or says why not. Only to be asked of messages whose code is right: the memory is for those.
    public mutating func admit(_ message: FleetMessage, at now: Int64) throws(Refusal) {
        guard message.stamp >= start, message.stamp >= now - Self.freshness, message.stamp <= now + Self.freshness
        else { throw .stale }
        let key = Seen(stamp: message.stamp, nonce: message.nonce)
        guard !seen.contains(key) else { throw .replayed }
        if seen.count >= Self.messagesMax {
            seen = seen.filter { $0.stamp >= now - Self.freshness }
            guard seen.count < Self.messagesMax else { throw .full }
        }
        seen.insert(key)
    }

    /// How many messages are remembered.
    public var count: Int { seen.count }
}
