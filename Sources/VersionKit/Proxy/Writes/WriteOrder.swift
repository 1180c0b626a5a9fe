import DequeModule

/// Sees to it that writes which share a key are never under way on two connections at one time: then every version does
/// them in the same order, whichever connections they came by.
///
/// Each write gets a ticket. A ticket is granted when everyone who asked before for one of its keys has finished, or
/// asked on the same connection, which keeps its own order. Only a write to several keys waits for those of its own
/// connection, too, which touch some of its keys and not all: they could end with each version lacking another key, and
/// then no version could say what came of it. Tickets are served in the order in which they were asked
/// for, so nobody starves; and as an owner asks in the order in which it sends, nobody waits in a circle.
///
/// A state machine: what is granted is returned.
public struct WriteOrder: Sendable {
    /// One write.
    public struct Ticket: Sendable, Hashable {
        /// The connection.
        public var owner: UInt64
        /// The connection's own number of the request.
        public var number: Int

        /// A ticket.
        public init(owner: UInt64, number: Int) {
            self.owner = owner
            self.number = number
        }
    }

    private struct Place: Sendable {
        var ticket: Ticket
        var keys: KeyMarks
        var isFree: Bool

        /// Whether it may be under way together with one before it.
        func goes(with earlier: Place) -> Bool {
            guard earlier.ticket.owner == ticket.owner else { return false }
            return !isOfSeveral || keys == earlier.keys
        }

        var isOfSeveral: Bool { if case .several = keys { true } else { false } }

        mutating func free(_ freed: inout [Ticket]) {
            guard !isFree else { return }
            isFree = true
            freed.append(ticket)
        }
    }

    /// Who is in the line for one key. Most are alone, and take no memory of their own for that.
    private struct Line: Sendable {
        var first: Place
        var rest: Deque<Place> = []

        /// One leaves the line.
        ///
        /// - Parameter freed: those for whom nobody stands before any more are added.
        /// - Returns: whether anybody is left.
        mutating func remove(_ ticket: Ticket, _ freed: inout [Ticket]) -> Bool {
            if first.ticket == ticket {
                guard let next = rest.popFirst() else { return false }
                first = next
            } else if let index = rest.firstIndex(where: { $0.ticket == ticket }) {
                rest.remove(at: index)
            }
            // The first one's connection goes on, with all that it sent before anybody else.
            first.free(&freed)
            for index in rest.indices {
                let place = rest[index]
                if place.isFree { continue }
                guard place.goes(with: first), !place.isOfSeveral || rest[..<index].allSatisfy(place.goes)
                else { break }
                rest[index].free(&freed)
            }
            return true
        }
    }

    private struct Wanted: Sendable {
        var keys: KeyMarks
        /// The keys for which others come first.
        var waits: Int
    }

    private var lines = MarkTable<Line>()
    private var tickets: [Ticket: Wanted] = [:]
    /// Who waits for, or behind, a write that touches everything.
    private var held: Deque<(ticket: Ticket, keys: KeyMarks)> = []
    private var exclusive: Ticket?

    /// An order that nobody is in.
    public init() {}

    /// How many tickets are granted or wait.
    public var count: Int { tickets.count + held.count + (exclusive == nil ? 0 : 1) }

    /// Asks for a ticket by names.
    ///
    /// - Returns: whether it is granted at once.
    public mutating func ask(_ ticket: Ticket, for keys: Keys) -> Bool { ask(ticket, by: KeyMarks(keys)) }

    /// Asks for a ticket.
    ///
    /// - Returns: whether it is granted at once.
    /// - Precondition: the ticket is not in the order already.
    public mutating func ask(_ ticket: Ticket, by keys: KeyMarks) -> Bool {
        if exclusive != nil || !held.isEmpty || keys == .everything {
            held.append((ticket, keys))
            return admit().contains(ticket)
        }
        return enter(ticket, keys)
    }

    /// Gives a ticket back, granted or not; one that is not in the order changes nothing.
    ///
    /// - Returns: the tickets that are granted by this.
    public mutating func finish(_ ticket: Ticket) -> [Ticket] {
        if exclusive == ticket {
            exclusive = nil
            return admit()
        }
        guard let wanted = tickets.removeValue(forKey: ticket) else {
            // It was held: those behind it may have waited for nobody else.
            guard let index = held.firstIndex(where: { $0.ticket == ticket }) else { return [] }
            held.remove(at: index)
            return admit()
        }
        var granted: [Ticket] = []
        switch wanted.keys {
        case .one(let key): leave(ticket, key, &granted)
        case .several(let keys), .each(let keys): for key in keys { leave(ticket, key, &granted) }
        case .everything: break
        }
        if !held.isEmpty { granted += admit() }
        return granted
    }

    private mutating func enter(_ ticket: Ticket, _ keys: KeyMarks) -> Bool {
        var waits = 0
        switch keys {
        case .one(let key): if !enter(ticket, keys, key) { waits += 1 }
        case .several(let marks), .each(let marks): for key in marks where !enter(ticket, keys, key) { waits += 1 }
        case .everything: break
        }
        let known = tickets.updateValue(Wanted(keys: keys, waits: waits), forKey: ticket)
        precondition(known == nil, "a ticket was asked for twice")
        return waits == 0
    }

    /// Whether nobody else is in the line before it.
    private mutating func enter(_ ticket: Ticket, _ keys: KeyMarks, _ key: KeyMark) -> Bool {
        lines.update(key) { slot in
            var place = Place(ticket: ticket, keys: keys, isFree: true)
            // Taken out, so that nobody else has its memory: a line that everybody is in is not copied each time.
            guard var line = slot.take() else {
                slot = Line(first: place)
                return true
            }
            place.isFree =
                line.first.isFree && place.goes(with: line.first)
                && line.rest.allSatisfy { $0.isFree && place.goes(with: $0) }
            line.rest.append(place)
            slot = line
            return place.isFree
        }
    }

    private mutating func leave(_ ticket: Ticket, _ key: KeyMark, _ granted: inout [Ticket]) {
        var freed: [Ticket] = []
        lines.update(key) { slot in
            guard var line = slot.take() else { return }
            if line.remove(ticket, &freed) { slot = line }
        }
        for ticket in freed {
            tickets[ticket]?.waits -= 1
            if tickets[ticket]?.waits == 0 { granted.append(ticket) }
        }
    }

    /// Lets in those who were held, as far as a write that touches everything allows.
    private mutating func admit() -> [Ticket] {
        var granted: [Ticket] = []
        while exclusive == nil, let first = held.first {
            if first.keys == .everything {
                guard tickets.isEmpty else { break }
                exclusive = first.ticket
                granted.append(first.ticket)
            } else if enter(first.ticket, first.keys) {
                granted.append(first.ticket)
            }
            held.removeFirst()
        }
        return granted
    }
}
