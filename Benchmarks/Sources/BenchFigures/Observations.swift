/// One measured number.
package struct Observation: Sendable, Hashable, Codable {
    /// What was measured, `latency-get`.
    package var measure: String
    /// Which program it was, `HAProxy`.
    package var peer: String
    /// The round, from 1; 0 for what is the same in every round.
    package var round: Int
    package var value: Double
    package var unit: String

    package init(_ measure: String, _ peer: String, round: Int, _ value: Double, _ unit: String) {
        self.measure = measure
        self.peer = peer
        self.round = round
        self.value = value
        self.unit = unit
    }
}

/// The rounds of one measure with one peer, in short.
package struct Summary: Sendable, Hashable, Codable {
    package var measure: String
    package var peer: String
    package var median: Double
    package var lowest: Double
    package var highest: Double
    package var rounds: Int
    package var unit: String
}

/// All that was measured: the goals are judged by this alone.
package struct Observations: Sendable {
    package private(set) var all: [Observation] = []

    package init(_ all: [Observation] = []) { self.all = all }

    package mutating func add(_ observation: Observation) { all.append(observation) }

    /// The values of all rounds.
    package func values(_ measure: String, _ peer: String) -> [Double] {
        all.filter { $0.measure == measure && $0.peer == peer }.map(\.value)
    }

    /// The median of all rounds.
    package func median(_ measure: String, _ peer: String) -> Double? {
        Statistics.median(values(measure, peer))
    }

    /// What one peer's value is divided by another's of the same round, the median of that.
    ///
    /// Not the medians divided by each other: a machine that is in another mood in each round, as virtual ones are, moves
    /// all peers of a round together.
    package func ratio(_ measure: String, _ peer: String, to other: String) -> Double? {
        let own = all.filter { $0.measure == measure && $0.peer == peer }
        let ratios = own.compactMap { observation -> Double? in
            let base = all.first { $0.measure == measure && $0.peer == other && $0.round == observation.round }
            guard let base, base.value > 0 else { return nil }
            return observation.value / base.value
        }
        return Statistics.median(ratios)
    }

    /// What one peer's value is divided by the best of others of the same round, the median of that.
    package func ratio(_ measure: String, _ peer: String, toBestOf others: [String], isLowBest: Bool) -> Double? {
        let own = all.filter { $0.measure == measure && $0.peer == peer }
        let ratios = own.compactMap { observation -> Double? in
            let values = all.filter {
                $0.measure == measure && $0.round == observation.round && others.contains($0.peer)
            }.map(\.value)
            guard let best = isLowBest ? values.min() : values.max(), best > 0 else { return nil }
            return observation.value / best
        }
        return Statistics.median(ratios)
    }

    /// One line per measure and peer, in the order in which they were first seen.
    package var summaries: [Summary] {
        struct Key: Hashable {
            var measure: String
            var peer: String
        }
        var order: [Key] = []
        var groups: [Key: [Observation]] = [:]
        for observation in all {
            let key = Key(measure: observation.measure, peer: observation.peer)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(observation)
        }
        return order.compactMap { key in
            guard let group = groups[key], let first = group.first else { return nil }
            let values = group.map(\.value)
            guard let median = Statistics.median(values), let lowest = values.min(), let highest = values.max() else {
                return nil
            }
            return Summary(
                measure: key.measure, peer: key.peer, median: median, lowest: lowest, highest: highest,
                rounds: values.count, unit: first.unit)
        }
    }

    /// The raw rows, for a file.
    package var csv: String {
        let rows = all.map { "\($0.measure),\($0.peer),\($0.round),\($0.value),\($0.unit)" }
        return (["measure,peer,round,value,unit"] + rows).joined(separator: "\n") + "\n"
    }
}
