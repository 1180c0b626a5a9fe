import VersionKitModel

/// What the fast path's table holds, and the changes that bring it there. Pure.
///
/// A change is one transaction, or two where tracked flows have to end in between. The model is what the caller asked for;
/// elements of the kernel may have ended by their time-outs, so what is replaced is added before it is deleted, and no
/// change ever fails for what is not there.
struct NFTablesModel: Sendable {
    /// What is to be done, in this order.
    struct Change: Sendable, Hashable {
        /// A transaction for `nft -f` after which flows begin in the new way; what began before is in ``superseded``.
        var preparation = ""
        /// Tracked flows that would be in the way of ``script``.
        var superseded: [FlowPattern] = []
        /// A transaction for `nft -f`.
        var script = ""
        /// Tracked flows that go on by what is no longer so.
        var ended: [FlowPattern] = []
    }

    /// Seconds that an element lives in the kernel without being learnt again.
    let lifetime: Int
    private let address: IPAddress
    private(set) var ports: Set<DirectPort> = []
    /// Direct ports of peers.
    private(set) var routes: [DirectRoute: Known] = [:]
    /// Registered ports by the direct ports that peers were known by; they outlive their routes.
    private(set) var names: [DirectRoute: Known] = [:]

    /// A port, and when the kernel forgets it.
    struct Known: Sendable, Hashable {
        var port: UInt16
        var end: ContinuousClock.Instant
    }

    init(address: IPAddress, lifetime: Duration) {
        self.address = address
        self.lifetime = max(1, Int(lifetime.components.seconds))
    }

    /// What another one knew; the kernel has it still.
    init(address: IPAddress, lifetime: Duration, resuming old: Handover, now: ContinuousClock.Instant) {
        self.init(address: address, lifetime: lifetime)
        ports = old.ports
        routes = old.routes.mapValues { Known(port: $0.port, end: now + .seconds($0.remaining)) }
        names = old.names.mapValues { Known(port: $0.port, end: now + .seconds($0.remaining)) }
    }

    /// A direct port, which nothing else has yet.
    mutating func open(_ port: DirectPort) throws(KernelPathError) -> Change {
        if ports.contains(port) { return Change() }
        guard ports.count < NFTablesRuleset.portsMax else { throw KernelPathError("there are too many direct ports") }
        for other in ports where other.port.transport == port.port.transport {
            guard other.number != port.number else {
                throw KernelPathError("the direct port \(port.number) leads to \(other.version) already")
            }
            guard other.version != port.version || other.port != port.port else {
                throw KernelPathError("\(port.version) has the direct port \(other.number) for \(port.port) already")
            }
        }
        ports.insert(port)
        return Change(script: statements("add", elements(of: port)))
    }

    /// Ends a direct port; one that is not open is no error.
    mutating func close(_ port: DirectPort) -> Change {
        guard ports.remove(port) != nil else { return Change() }
        return Change(
            script: statements("delete", elements(of: port).map(\.keyed)),
            ended: [
                FlowPattern(
                    transport: port.port.transport, answerer: Endpoint(address: port.version, port: port.port.number))
            ])
    }

    /// A route, new, refreshed or replaced.
    mutating func learn(
        _ route: DirectRoute, to directPort: UInt16, now: ContinuousClock.Instant
    ) throws(KernelPathError) -> Change {
        // What a version sends to its own host is the relay's: one connection cannot be translated twice on one host.
        guard route.peer != address else { return Change() }
        let before = routes[route]?.port
        guard before != nil || routes.count < NFTablesRuleset.routesMax else {
            throw KernelPathError("there are too many direct routes")
        }
        routes[route] = Known(port: directPort, end: now + .seconds(lifetime))
        var change = Change()
        let old = Self.elements(of: route, to: before ?? directPort, timeout: lifetime)
        let new = Self.elements(of: route, to: directPort, timeout: lifetime)
        let forOld = before == nil ? [] : [old.fast, old.key]
        change.script = statements("add", forOld) + statements("delete", forOld.map(\.keyed))
        change.script += statements("add", [new.fast, new.key])
        change.preparation = rename(route, directPort, now)
        guard route.port.transport == .udp, before != directPort else { return change }
        change.superseded = unnamed(route, directPort)
        if before != nil {
            // These would go on to the old direct port.
            let there = Endpoint(address: route.peer, port: route.port.number)
            change.ended = [FlowPattern(transport: .udp, sender: route.version, destination: there)]
        }
        return change
    }

    /// The name of a route's other end alone.
    mutating func name(_ route: DirectRoute, _ directPort: UInt16, now: ContinuousClock.Instant) -> Change {
        guard route.peer != address else { return Change() }
        var change = Change()
        change.preparation = rename(route, directPort, now)
        if route.port.transport == .udp { change.superseded = unnamed(route, directPort) }
        return change
    }

    /// Gives what comes from the peer's direct port the name of the registered one.
    ///
    /// The peer may go on with it for as long as it was told, whatever is forgotten here: hence the longer time.
    private mutating func rename(
        _ route: DirectRoute, _ directPort: UInt16, _ now: ContinuousClock.Instant
    ) -> String {
        let name = DirectRoute(
            from: route.version, to: route.peer, port: TransportPort(directPort, route.port.transport))
        var script = ""
        if let known = names[name]?.port {
            let old = Self.name(name, is: known, timeout: lifetime * 2)
            script = statements("add", [old]) + statements("delete", [old.keyed])
        }
        if names.count >= NFTablesRuleset.routesMax {
            let routes = routes
            names = names.filter { routes[Self.route($0.key, $0.value.port)]?.port == $0.key.port.number }
        }
        names[name] = Known(port: route.port.number, end: now + .seconds(lifetime * 2))
        return script + statements("add", [Self.name(name, is: route.port.number, timeout: lifetime * 2)])
    }

    /// Flows that the peer began before its name was known here. What the version sends by the route would have the same
    /// ports on the wire, and be dropped.
    private func unnamed(_ route: DirectRoute, _ directPort: UInt16) -> [FlowPattern] {
        let source = Endpoint(address: route.peer, port: directPort)
        return ports.filter { $0.version == route.version && $0.port.transport == .udp }.map(\.number).sorted().map {
            FlowPattern(
                transport: .udp, source: source, destination: Endpoint(address: address, port: $0), answered: source)
        }
    }

    /// Ends a route; one that is not known is no error.
    mutating func forget(_ route: DirectRoute) -> Change {
        guard let directPort = routes.removeValue(forKey: route)?.port else { return Change() }
        let all = Self.elements(of: route, to: directPort, timeout: lifetime)
        let gone = [all.fast, all.key]
        return Change(script: statements("add", gone) + statements("delete", gone.map(\.keyed)))
    }

    /// One element of one set or map.
    struct Element {
        var collection: String
        var key: String
        var timeout: Int?
        var value: String?

        /// The element as it is deleted.
        var keyed: Element { Element(collection: collection, key: key) }

        /// The element in nftables' words.
        var text: String { key + (timeout.map { " timeout \($0)s" } ?? "") + (value.map { " : \($0)" } ?? "") }
    }

    func elements(of port: DirectPort) -> [Element] {
        let transport = port.port.transport
        return [
            Element(
                collection: "inward", key: "\(transport) . \(port.number)",
                value: "\(port.version) . \(port.port.number)"),
            Element(
                collection: "outward", key: "\(port.version) . \(transport) . \(port.port.number)",
                value: "\(address) . \(port.number)"),
        ]
    }

    static func elements(
        of route: DirectRoute, to directPort: UInt16, timeout: Int
    ) -> (fast: Element, key: Element) {
        let key = "\(route.version) . \(route.peer) . \(route.port.transport) . \(route.port.number)"
        return (
            Element(collection: "fast", key: key, timeout: timeout, value: "\(route.peer) . \(directPort)"),
            Element(collection: "keys", key: key, timeout: timeout)
        )
    }

    /// What comes from a peer's direct port appears to come from the registered one.
    static func name(_ name: DirectRoute, is port: UInt16, timeout: Int) -> Element {
        Element(
            collection: "names",
            key: "\(name.version) . \(name.peer) . \(name.port.transport) . \(name.port.number)", timeout: timeout,
            value: "\(name.peer) . \(port)")
    }

    private static func route(_ name: DirectRoute, _ port: UInt16) -> DirectRoute {
        DirectRoute(from: name.version, to: name.peer, port: TransportPort(port, name.port.transport))
    }

    func statements(_ verb: String, _ elements: [Element]) -> String {
        elements.map { element in
            let collection = "\(address.family.word) \(NFTablesRuleset.table) \(element.collection)"
            return "\(verb) element \(collection) { \(element.text) }\n"
        }.joined()
    }
}
