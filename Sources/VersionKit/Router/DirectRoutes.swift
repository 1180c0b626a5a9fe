public import VersionKitModel

/// The routes that the kernel may take by itself, and for how long: learnt from what peers say, and forgotten in time.
///
/// A route that was not heard of again for its lifetime is taken no longer; the next conversation takes the slow path, on
/// which headers and with them advertisements flow, and it is learnt again. So nothing that a peer once said is believed
/// for ever, and steady state costs one conversation in a lifetime. The peer's port keeps its name for as long again: the
/// peer may go on by its own route, and would be taken for a stranger.
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
        /// Do not take it yet; but what comes from that port of the peer comes from its registered one.
        case name(DirectRoute, UInt16)
        /// Take it no longer, but know the name.
        case rest(DirectRoute)
        /// Take it no longer, and know nothing of it.
        case forget(DirectRoute)
    }

    /// A route that is in use.
    public struct Entry: Sendable, Equatable, Codable {
        /// The peer's direct port.
        public var number: UInt16
        /// When it is taken no longer, or forgotten, by the caller's clock.
        public var expiry: Duration
        /// When the kernel was told.
        var told: Duration
        /// Whether the route is taken, or only the peer's port known by its name.
        public var isTaken = true
        /// Whether it was taken until its time was over: it is as soon as the peer is heard again.
        var rests = false

        init(number: UInt16, expiry: Duration, told: Duration, isTaken: Bool) {
            self.number = number
            self.expiry = expiry
            self.told = told
            self.isTaken = isTaken
        }

        /// Reads what a versiond wrote, perhaps one to which all routes were taken.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            number = try container.decode(UInt16.self, forKey: .number)
            expiry = try container.decode(Duration.self, forKey: .expiry)
            told = try container.decode(Duration.self, forKey: .told)
            isTaken = try container.decodeIfPresent(Bool.self, forKey: .isTaken) ?? true
            rests = try container.decodeIfPresent(Bool.self, forKey: .rests) ?? false
        }
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
    ///
    /// - Parameter isMutual: whether the peer has heard of the direct port here, from which the version's datagrams come to
    ///   it by the route. Otherwise it would take them for a stranger's: the route is not taken before.
    public mutating func heard(
        _ offer: (number: UInt16, lifetime: Duration)?, of route: DirectRoute, isMutual: Bool = true, at now: Duration
    ) -> Change? {
        guard let offer else { return entries.removeValue(forKey: route) == nil ? nil : .forget(route) }
        let known = entries[route]
        guard known != nil || entries.count < Self.routesMax else {
            overflows += 1
            return nil
        }
        let isTaken = isMutual || known?.isTaken == true || known?.rests == true
        let isStanding =
            known.map {
                $0.number == offer.number && $0.isTaken == isTaken && now - $0.told < Self.refreshInterval
            } ?? false
        entries[route] = Entry(
            number: offer.number, expiry: now + offer.lifetime, told: isStanding ? known?.told ?? now : now,
            isTaken: isTaken)
        if isStanding { return nil }
        return isTaken ? .learn(route, to: offer.number) : .name(route, offer.number)
    }

    /// Lets routes rest whose time is over, and forgets those that rested for so long.
    ///
    /// - Parameter rest: how long a peer goes on by its own route at the most, after it has heard from here.
    public mutating func expire(at now: Duration, rest: Duration) -> [Change] {
        var changes = forget { _, entry in !entry.isTaken && entry.expiry <= now }
        for (route, entry) in entries where entry.isTaken && entry.expiry <= now {
            entries[route]?.isTaken = false
            entries[route]?.rests = true
            entries[route]?.expiry = now + rest
            changes.append(.rest(route))
        }
        return changes
    }

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
