/// What a quick look at a request says: ``MessageAdapter/glance(at:from:in:)``.
public enum Glance: Sendable, Hashable {
    /// A read: ``MessageAdapter/dispatch(_:_:)`` would answer ``Dispatch/newestFirst``.
    case read
    /// A write to one key, with this mark: ``MessageAdapter/dispatch(_:_:)`` would answer ``Dispatch/all(_:missed:)``.
    case write(KeyMark)
    /// A request that one version alone answers as it is; with several of them it has to be looked at.
    case other
    /// Anything else: it is the proxy's to answer, changes the session, or has no reply of its own.
    case unusual
}
