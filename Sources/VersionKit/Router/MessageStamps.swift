/// The time stamps of a node's messages: each is greater than the one before, however quickly they follow each other.
///
/// A clock that is set back by more than ``ReplayGuard/freshness`` makes an exception: stamps of the time that it showed before
/// would be refused everywhere until that time comes.
///
/// A value: the time, milliseconds since 1970, is an argument.
public struct MessageStamps: Sendable, Equatable {
    /// The last one that was given; 0: none was.
    public private(set) var last: Int64

    /// Stamps behind this one.
    public init(after last: Int64 = 0) { self.last = last }

    /// The stamp of one more message.
    public mutating func next(at now: Int64) -> Int64 {
        last = last - now > ReplayGuard.freshness ? now : max(now, last + 1)
        return last
    }
}
