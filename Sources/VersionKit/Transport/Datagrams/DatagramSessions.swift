import VersionKitModel

/// The conversations that are remembered, by their ends: bounded, and the one that was quiet for longest makes room.
///
/// A pure state machine; the time is an argument. Looking one up allocates nothing.
struct DatagramSessions {
    private let limits: Limits
    private var slots: [DatagramSession?] = []
    private var free: [Int] = []
    private var byKey: [DatagramSession.Key: Int] = [:]
    private var byFlow: [DatagramSession.Flow: Int] = [:]
    private var ofPeer: [IPAddress: Int] = [:]
    private var oldest = -1
    private var newest = -1

    init(limits: Limits) { self.limits = limits }

    var count: Int { byKey.count }
    /// All of them, the longest unused first.
    var all: [DatagramSession] {
        var slot = oldest
        var all: [DatagramSession] = []
        while slot >= 0, let session = slots[slot] {
            all.append(session)
            slot = session.newer
        }
        return all
    }

    /// The conversation between these ends.
    func find(_ key: DatagramSession.Key) -> DatagramSession? { byKey[key].flatMap { slots[$0] } }

    /// The conversation that a datagram with these bytes in front belonged to the last time.
    func find(_ flow: DatagramSession.Flow) -> DatagramSession? { byFlow[flow].flatMap { slots[$0] } }

    /// Whether this peer may begin one more.
    func hasRoom(for peer: IPAddress) -> Bool { ofPeer[peer, default: 0] < limits.datagramSessionsOfPeerMax }

    /// Which one makes room for the next, if there is none left.
    var nextToLeave: DatagramSession? {
        count >= limits.datagramSessionsMax && oldest >= 0 ? slots[oldest] : nil
    }

    /// The longest unused of those that have a socket to themselves, if it is among the longest unused of all: the search
    /// has an end.
    var nextToLeaveSocket: DatagramSession? {
        var slot = oldest
        for _ in 0..<256 {
            guard slot >= 0, let session = slots[slot] else { return nil }
            if session.delivery?.users == 1 || session.departure?.isShared == false { return session }
            slot = session.newer
        }
        return nil
    }

    /// Remembers one that is new.
    ///
    /// - Precondition: there is room, and none with the same ends.
    mutating func insert(_ session: DatagramSession, at now: Duration) {
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(session) } else { slots[slot] = session }
        session.slot = slot
        session.lastUsed = now
        let previous = byKey.updateValue(slot, forKey: session.key)
        precondition(previous == nil, "two conversations between the same ends")
        ofPeer[session.key.peer, default: 0] += 1
        append(session)
    }

    /// The flow's datagrams belong to this conversation from now on.
    mutating func bind(_ flow: DatagramSession.Flow, to session: DatagramSession) {
        unbind(session)
        if let slot = byFlow.updateValue(session.slot, forKey: flow), slot != session.slot { slots[slot]?.flow = nil }
        session.flow = flow
    }

    /// Its next datagram is decided on anew.
    mutating func unbind(_ session: DatagramSession) {
        if let flow = session.flow { byFlow[flow] = nil }
        session.flow = nil
    }

    /// It was used.
    mutating func touch(_ session: DatagramSession, at now: Duration) {
        session.lastUsed = now
        guard newest != session.slot else { return }
        unlink(session)
        append(session)
    }

    /// Forgets it.
    mutating func remove(_ session: DatagramSession) {
        unbind(session)
        unlink(session)
        byKey[session.key] = nil
        slots[session.slot] = nil
        free.append(session.slot)
        let left = ofPeer[session.key.peer, default: 1] - 1
        ofPeer[session.key.peer] = left > 0 ? left : nil
        session.slot = -1
    }

    /// One that was not used for too long, if there is any.
    func expired(at now: Duration) -> DatagramSession? {
        guard oldest >= 0, let session = slots[oldest] else { return nil }
        return now - session.lastUsed >= limits.datagramSessionTimeout ? session : nil
    }

    private mutating func append(_ session: DatagramSession) {
        session.older = newest
        session.newer = -1
        if newest >= 0 { slots[newest]?.newer = session.slot } else { oldest = session.slot }
        newest = session.slot
    }

    private mutating func unlink(_ session: DatagramSession) {
        if session.older >= 0 { slots[session.older]?.newer = session.newer } else { oldest = session.newer }
        if session.newer >= 0 { slots[session.newer]?.older = session.older } else { newest = session.older }
    }
}
