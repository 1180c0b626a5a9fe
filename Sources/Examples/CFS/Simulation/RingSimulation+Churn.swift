import CFSModel
public import CFSRing

/// Rings whose nodes come and go all the time.
extension RingSimulation {
    /// What happened in a part of the time.
    public struct ChurnWindow: Sendable {
        /// When it ended.
        public var end = Duration.zero
        /// Nodes that died, and as many that joined.
        public var deaths = 0
        /// Lookups that found the node that has the id, or another one, or nobody.
        public var right = 0, wrong = 0, failed = 0
        /// Blocks that were fetched, and those that were not.
        public var fetched = 0, missed = 0
        /// How long lookups took that found somebody.
        public var times: [Duration] = []

        /// The share of lookups that did not find the right node.
        public var failedLookups: Double { Double(wrong + failed) / Double(max(1, right + wrong + failed)) }
        /// The share of blocks that were not to be had.
        public var failedFetches: Double { Double(missed) / Double(max(1, fetched + missed)) }
    }

    /// How a ring is worn out, and used meanwhile.
    public struct Churn: Sendable {
        /// After this time half of the nodes are others.
        public var halfLife: Duration
        /// How long a window is.
        public var window: Duration
        /// Lookups begun each second, and blocks fetched each second, by random nodes.
        public var lookups, fetches: Int

        /// Churn.
        public init(halfLife: Duration, window: Duration = .seconds(300), lookups: Int = 4, fetches: Int = 2) {
            (self.halfLife, self.window, self.lookups, self.fetches) = (halfLife, window, lookups, fetches)
        }
    }

    /// Lets nodes come and go for one window, while others look ids up and fetch blocks.
    public mutating func live(through churn: Churn, fetching keys: [BlockKey]) -> ChurnWindow {
        var window = ChurnWindow()
        var openLookups: [Lookup: (target: ChordID, begin: Duration)] = [:]
        var openFetches: Set<Operation> = []
        let end = elapsed + churn.window
        // Of each second this share of the nodes does not live to see the end: the natural logarithm of 2 by the half-life.
        let share = 0.693_147 / (churn.halfLife / .seconds(1))
        while elapsed < end {
            let expected = Double(living.count) * share
            let deaths = Int(expected) + (chance() < expected - expected.rounded(.down) ? 1 : 0)
            for index in randomLiving(deaths) {
                kill(index)
                add(at: elapsed)
                window.deaths += 1
            }
            for index in randomLiving(churn.lookups) {
                let target = randomID()
                if let lookup = lookUp(target, from: index) { openLookups[lookup] = (target, elapsed) }
            }
            for index in randomLiving(keys.isEmpty ? 0 : churn.fetches) {
                let key = keys[min(keys.count - 1, Int(chance() * Double(keys.count)))]
                if let fetch = fetch(key, from: index) { openFetches.insert(fetch) }
            }
            let second = elapsed + .seconds(1)
            run(atMost: .seconds(1)) { simulation in
                simulation.collect(&window, &openLookups, &openFetches)
                return false
            }
            run(for: max(.zero, second - elapsed))
        }
        // What was begun is waited for; who died does not count.
        run(atMost: .seconds(60)) { simulation in
            simulation.collect(&window, &openLookups, &openFetches)
            openLookups = openLookups.filter { simulation.isLiving($0.key.node) }
            openFetches = openFetches.filter { simulation.isLiving($0.node) }
            return openLookups.isEmpty && openFetches.isEmpty
        }
        window.failed += openLookups.count
        window.missed += openFetches.count
        window.end = elapsed
        return window
    }

    private mutating func collect(
        _ window: inout ChurnWindow, _ openLookups: inout [Lookup: (target: ChordID, begin: Duration)],
        _ openFetches: inout Set<Operation>
    ) {
        for lookup in Array(lookups.keys) {
            guard let result = takeResult(of: lookup), let (target, begin) = openLookups.removeValue(forKey: lookup)
            else { continue }
            guard case .success(let found) = result else {
                window.failed += 1
                continue
            }
            if found.successors.first.map({ isOwner($0, of: target) }) ?? false {
                window.right += 1
                window.times.append(elapsed - begin)
            } else {
                window.wrong += 1
            }
        }
        for fetch in Array(fetches.keys) {
            guard let result = takeFetch(fetch), openFetches.remove(fetch) != nil else { continue }
            if case .success = result { window.fetched += 1 } else { window.missed += 1 }
        }
    }

    /// Whether nobody who lives and has neighbours is between an id and a node, which lives too.
    private func isOwner(_ node: ChordNode, of target: ChordID) -> Bool {
        var isThere = false
        for index in living {
            guard let other = self.node(index)?.chord else { continue }
            if other.me.id == node.id {
                isThere = true
            } else if other.successor.id != other.me.id, other.me.id.isFrom(target, before: node.id) {
                return false
            }
        }
        return isThere
    }

    private func isLiving(_ index: Int) -> Bool { node(index) != nil }

    /// Of this many blocks fewer fragments are left than make them again.
    public func lost(of keys: [BlockKey], needed: Int) -> Int { fragments(of: keys).count { $0 < needed } }
}
