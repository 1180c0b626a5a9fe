public import VersionKitModel

/// Which of two versions has to go before its time, as it keeps failing.
public enum Departure: Sendable, Hashable {
    /// The newer one is taken away: the older one has all that clients were told is done.
    case newer(reason: String)
    /// The older one, which is to be retired anyway, retires: the newer one lacks nothing.
    case older(reason: String)
}

extension WriteNumbers {
    /// Whether one of two versions that serve beside each other keeps failing. If both do, the newer one goes.
    public func departure(old: Version, new: Version) -> Departure? {
        if let reason = trouble[new] { return .newer(reason: reason) }
        guard let reason = trouble[old], lag[new, default: 0] == 0 else { return nil }
        return .older(reason: reason)
    }
}
