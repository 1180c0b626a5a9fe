public import VersionKitModel

/// The routes that the kernel may take by itself, and for how long: learnt from what peers say, and forgotten in time.
///
/// A route that was not heard of again for its lifetime goes; the next conversation takes the slow path, on which headers
/// and with them advertisements flow, and it is learnt again. So nothing that a peer once said is believed for ever, and
/// steady state costs one conversation in a lifetime.
///
/// A value without clock or kernel: time comes in, changes for the kernel come out.
///
/// - Note: DESIGN 6; R6.
public struct DirectRoutes: Sendable, Equatable, Codable {
    /// The most routes; what is heard of beyond goes by the slow path.
    public static let routesMax = 65_536

    /// What the kernel is to be told.
    public enum Change: Sendable, Hashable {
        /// Take this route, to that port of the peer.
        case learn(DirectRoute, to: UInt16)
        /// Take it no longer.
        case forget(DirectRoute)
    }

    /// A route that is in use.
    public struct Entry: Sendable, Equatable, Codable {
        /// The peer's direct port.
        public var number: UInt16
        /// When it is forgotten, by the caller's clock.
        public var expiry: Duration
        /// When the kernel was told.
        var told: Duration
    }

    /// A route that the kernel was told so long ago is told again when it is heard: some kernels forget in an hour.
    public static let refreshInterval = Duration.seconds(600)

    /// The routes in use.
    public private(set) var entries: [DirectRoute: Entry] = [:]
    /// Routes that were not learnt as there were too many.
    public private(set) var overflows: UInt64 = 0

    /// No routes.
    public init() {}

    /// A peer's version said at which port it can be reached directly, or that it cannot be.
    public mutating func heard(_ offer: (number: UInt16, lifetime: Duration)?, of route: DirectRoute, at now: Duration)
        -> Change?
    {
        guard let offer else { return entries.removeValue(forKey: route) == nil ? nil : .forget(route) }
        let known = entries[route]
        guard known != nil || entries.count < Self.routesMax else {
            overflows += 1
            return nil
        }
        let isStanding = known.map { $0.number == offer.number && now - $0.told < Self.refreshInterval } ?? false
        entries[route] = Entry(
            number: offer.number, expiry: now + offer.lifetime, told: isStanding ? known?.told ?? now : now)
        return isStanding ? nil : .learn(route, to: offer.number)
    }

    /// Forgets routes whose time is over.
    public mutating func expire(at now: Duration) -> [Change] { forget { _, entry in entry.expiry <= now } }

    /// Forgets the routes of versions that do not serve here any more.
    public mutating func keep(_ versions: Set<IPAddress>) -> [Change] {
        forget { route, _ in !versions.contains(route.version) }
    }

    /// Forgets the routes to a peer: it is gone, or has another list of versions.
    public mutating func forget(peer: IPAddress) -> [Change] { forget { route, _ in route.peer == peer } }

    /// The kernel did not take it.
    public mutating func failed(_ route: DirectRoute) { entries[route] = nil }

    private mutating func forget(where isGone: (DirectRoute, Entry) -> Bool) -> [Change] {
        let gone = entries.filter { isGone($0.key, $0.value) }.keys
        for route in gone { entries[route] = nil }
        return gone.map { .forget($0) }
    }
}
