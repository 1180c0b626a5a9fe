import VersionKitModel

/// What two routers have told each other of their direct ports, for one route: all conversations on it have it in common,
/// since many are over before they could have found it out by themselves.
///
/// Belongs to the relay's thread.
final class PortOffers {
    /// How often a peer was told of a direct port before it counts as known to it: some may be lost.
    private static let sentMin = 3
    /// And how long ago for the first time: its router has to tell its kernel.
    private static let sentTime: Duration = .seconds(1)

    /// The direct port that datagrams to the peer tell of.
    private var offered: UInt16?
    /// The one that the peer told of last.
    private var heard: UInt16?
    /// How many datagrams told the peer, and when the first one did.
    private var sent = 0
    private var sentAt: Duration = .zero
    /// Whether it was reported that the peer knows.
    var isReported = false
    /// How many conversations are on the route.
    var users = 0

    /// Datagrams to the peer tell of this port from now on.
    func offer(_ number: UInt16?) {
        guard number != offered else { return }
        offered = number
        sent = 0
    }

    /// The peer told of this port. Before its own one was open it had no use for what it was told.
    func hear(_ number: UInt16?) {
        guard number != heard else { return }
        heard = number
        sent = 0
    }

    /// One more datagram tells the peer.
    func noteSent(at now: Duration) {
        if sent == 0 { sentAt = now }
        sent += 1
    }

    /// Whether there is anything to tell.
    var isAny: Bool { offered != nil }

    /// Whether the peer knows from which direct port the version's datagrams come when they take a route: since it offers
    /// one itself it was told some times, and its router has had the time to tell its kernel. Datagrams from a port that it
    /// does not know it would show as a stranger's, for as long as the route is taken: no header would tell it better.
    func isKnown(at now: Duration) -> Bool { offered != nil && sent >= Self.sentMin && now - sentAt >= Self.sentTime }
}

/// The offers of all routes on which there are conversations, and of those that had some lately. Bounded.
struct OffersByRoute {
    /// Twice as many as conversations: whenever there is no room, half of them are of routes without any.
    private let countMax: Int
    private var offers: [DirectRoute: PortOffers] = [:]

    init(limits: Limits) { countMax = 2 * limits.datagramSessionsMax }

    /// Those of a route that a conversation is on.
    mutating func of(_ route: DirectRoute) -> PortOffers {
        if let known = offers[route] { return known }
        if offers.count >= countMax { offers = offers.filter { $0.value.users > 0 } }
        let new = PortOffers()
        offers[route] = new
        return new
    }
}
