/// What the keys of one connection must be: nobody else writes them.
package struct Keyspace: Sendable {
    package typealias Entries = [String: Entry]

    /// What is certain. A key that was deleted is not in here, but in ``used``.
    package private(set) var entries: Entries = [:]
    /// Every key that was ever written.
    package private(set) var used: Set<String> = []
    /// Keys of which it is not known whether a step happened: each has several ways to be. They are written no more,
    /// since the step may still be under way somewhere.
    package private(set) var doubts: [Doubt] = []
    private var generations: [String: Int] = [:]

    /// Keys of a step that failed, and all that they may be together.
    package struct Doubt: Sendable {
        package var keys: Set<String>
        package var alternatives: Set<Entries>
    }

    package init() {}

    /// The key of this name: a new one whenever the one before became doubtful.
    package func key(_ name: String) -> String { "\(name).\(generations[name, default: 0])" }

    /// Takes over that a step was answered. What is wrong with the answer, if anything: then its keys are doubtful.
    package mutating func answered(_ step: Step, _ replies: [Reply]) -> Problem? {
        used.formUnion(step.keys)
        switch step.itemReplies(replies) {
        case .failure(let problem):
            doubt(step)
            return problem
        case .success(let results):
            var after = entries
            for (item, reply) in zip(step.items, results) {
                let outcomes = item.command.outcomes(after[item.key])
                guard let outcome = outcomes.first(where: { item.command.agree(reply, $0.reply) }) else {
                    let expected = outcomes.first.map { "\($0.reply)" } ?? "nothing"
                    doubt(step)
                    let words = item.command.words(item.key).joined(separator: " ")
                    return Problem("\(words) was answered \(reply), not \(expected)")
                }
                after[item.key] = outcome.entry
            }
            entries = after
            return nil
        }
    }

    /// Takes over that nobody knows whether a step was done, or which part of it.
    package mutating func doubt(_ step: Step) {
        used.formUnion(step.keys)
        let before = entries.filter { step.keys.contains($0.key) }
        var alternatives: Set<Entries> = [before]
        if step.isTransaction {
            var whole = alternatives
            for item in step.items { whole = Set(whole.flatMap { Self.after(item, $0) }) }
            alternatives.formUnion(whole)
        } else {
            for item in step.items { alternatives.formUnion(alternatives.flatMap { Self.after(item, $0) }) }
        }
        doubts.append(Doubt(keys: step.keys, alternatives: alternatives))
        for key in step.keys {
            entries[key] = nil
            guard let dot = key.lastIndex(of: ".") else { continue }
            generations[String(key[..<dot]), default: 0] += 1
        }
    }

    private static func after(_ item: Step.Item, _ entries: Entries) -> [Entries] {
        item.command.outcomes(entries[item.key]).map { outcome in
            var after = entries
            after[item.key] = outcome.entry
            return after
        }
    }

    /// The keys that are not what they must be, each with what is wrong.
    package func losses(_ found: Entries) -> [Problem] {
        let doubtful = doubts.reduce(into: Set<String>()) { $0.formUnion($1.keys) }
        var problems: [Problem] = []
        for key in used.subtracting(doubtful).sorted() where found[key] != entries[key] {
            problems.append(Problem("\(key) is \(Self.text(found[key])), not \(Self.text(entries[key]))"))
        }
        for doubt in doubts {
            let there = found.filter { doubt.keys.contains($0.key) }
            guard !doubt.alternatives.contains(there) else { continue }
            problems.append(Problem("\(doubt.keys.sorted()) are \(there), none of what they may be"))
        }
        return problems
    }

    private static func text(_ entry: Entry?) -> String { entry.map { "\($0)" } ?? "nothing" }
}
