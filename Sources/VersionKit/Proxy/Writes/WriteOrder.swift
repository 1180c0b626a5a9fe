import DequeModule
import NIOCore

/// Sees to it that writes which share a key are never under way on two connections at one time: then every version does
/// them in the same order, whichever connections they came by.
///
/// Each write gets a ticket. A ticket is granted when everyone who asked before for one of its keys has finished, or
/// asked on the same connection, which keeps its own order. Tickets are served in the order in which they were asked
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
        var isFree: Bool
    }

    private struct Wanted: Sendable {
        var keys: Keys
        /// The keys for which others come first.
        var waits: Int
    }

    private var lines: [ByteBuffer: Deque<Place>] = [:]
    private var tickets: [Ticket: Wanted] = [:]
    /// Who waits for, or behind, a write that touches everything.
    private var held: Deque<(ticket: Ticket, keys: Keys)> = []
    private var exclusive: Ticket?

    /// An order that nobody is in.
    public init() {}

    /// How many tickets are granted or wait.
    public var count: Int { tickets.count + held.count + (exclusive == nil ? 0 : 1) }

    /// Asks for a ticket.
    ///
    /// - Returns: whether it is granted at once.
    /// - Precondition: the ticket is not in the order already.
    public mutating func ask(_ ticket: Ticket, for keys: Keys) -> Bool {
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
        for key in wanted.keys.names ?? [] { leave(ticket, key, &granted) }
        if !held.isEmpty { granted += admit() }
        return granted
    }

    private mutating func enter(_ ticket: Ticket, _ keys: Keys) -> Bool {
        var waits = 0
        for key in keys.names ?? [] {
            let isFree = lines[key]?.allSatisfy { $0.ticket.owner == ticket.owner } ?? true
            lines[key, default: []].append(Place(ticket: ticket, isFree: isFree))
            if !isFree { waits += 1 }
        }
        let known = tickets.updateValue(Wanted(keys: keys, waits: waits), forKey: ticket)
        precondition(known == nil, "a ticket was asked for twice")
        return waits == 0
    }

    private mutating func leave(_ ticket: Ticket, _ key: ByteBuffer, _ granted: inout [Ticket]) {
        guard var line = lines[key], let index = line.firstIndex(where: { $0.ticket == ticket }) else { return }
        line.remove(at: index)
        guard let owner = line.first?.ticket.owner else {
            lines[key] = nil
            return
        }
        for index in line.indices {
            guard line[index].ticket.owner == owner else { break }
            guard !line[index].isFree else { continue }
            line[index].isFree = true
            let next = line[index].ticket
            tickets[next]?.waits -= 1
            if tickets[next]?.waits == 0 { granted.append(next) }
        }
        lines[key] = line
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
