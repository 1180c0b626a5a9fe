/// Chooses what a connection does next: all types, singly, in pipelines, and as transactions.
package struct Mix<Random: RandomNumberGenerator> {
    /// Keys of each type.
    private static var keysPerKind: Int { 20 }
    private static var pipelineMax: Int { 8 }
    /// Beyond it, a collection is rather made smaller than bigger, and a text is begun anew.
    private static var sizeMax: Int { 24 }
    private static var textBytesMax: Int { 400 }

    private let prefix: String
    private var random: Random
    private var unique = 0

    /// - Parameter prefix: what the names of this connection's keys begin with, and nobody else's.
    package init(prefix: String, random: Random) {
        self.prefix = prefix
        self.random = random
    }

    /// The next steps, to be sent at once; no key is in two of them.
    package mutating func next(_ keyspace: Keyspace) -> [Step] {
        let count =
            Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 2...Self.pipelineMax, using: &random) : 1
        var used: Set<String> = []
        var steps: [Step] = []
        for _ in 0..<count {
            let step = step(keyspace)
            guard used.isDisjoint(with: step.keys) else { continue }
            used.formUnion(step.keys)
            steps.append(step)
        }
        return steps
    }

    private mutating func step(_ keyspace: Keyspace) -> Step {
        if Int.random(in: 0..<10, using: &random) == 0 { return transfer(keyspace) }
        let kind = Kind.allCases.randomElement(using: &random) ?? .text
        let key = keyspace.key(name(kind, Int.random(in: 0..<Self.keysPerKind, using: &random)))
        var items = [Step.Item(key, command(kind, keyspace.entries[key]))]
        // What was written is there for the next request, also if that was sent without waiting.
        if kind == .text, Bool.random(using: &random) { items.append(Step.Item(key, .get)) }
        return Step(items)
    }

    /// From one counter to another: whoever sees one half without the other has lost something.
    private mutating func transfer(_ keyspace: Keyspace) -> Step {
        let from = Int.random(in: 0..<Self.keysPerKind, using: &random)
        let to = (from + Int.random(in: 1..<Self.keysPerKind, using: &random)) % Self.keysPerKind
        let amount = Int.random(in: 2...1000, using: &random)
        return Step(
            [
                Step.Item(keyspace.key(name(.counter, from)), .increase(-amount)),
                Step.Item(keyspace.key(name(.counter, to)), .increase(amount)),
            ], isTransaction: true)
    }

    private func name(_ kind: Kind, _ index: Int) -> String { "\(prefix)\(kind.rawValue)\(index)" }

    /// The type of a key that was made here.
    package func kind(of key: String) -> Kind? {
        let rest = key.dropFirst(prefix.count)
        return Kind.allCases.first { rest.hasPrefix($0.rawValue) }
    }

    private mutating func command(_ kind: Kind, _ entry: Entry?) -> Command {
        switch Int.random(in: 0..<40, using: &random) {
        case 0: return .delete
        case 1: return .expire
        case 2: return .persist
        default: break
        }
        unique += 1
        let value = "v\(unique)"
        let member = "m\(Int.random(in: 0..<Self.sizeMax, using: &random))"
        switch (kind, entry?.value) {
        case (.text, let old):
            if case .text(let text)? = old, text.utf8.count > Self.textBytesMax { return .set(value) }
            let choices: [Command] = [
                .set(value), .get, .append(value), .append(value), .setExpiring(value), .getAndDelete,
            ]
            return choices.randomElement(using: &random) ?? .get
        case (.counter, _): return Bool.random(using: &random) ? .increase(1) : .get
        case (.list, .list(let list)) where list.count > Self.sizeMax: return .pop
        case (.list, _): return [.push(value), .push(value), .pop, .length].randomElement(using: &random) ?? .pop
        case (.hash, _): return .put(member, value)
        case (.set, _):
            let choices: [Command] = [.add(member), .add(value), .remove(member), .popAny, .popAny, .members]
            return choices.randomElement(using: &random) ?? .members
        case (.sorted, _): return .rank(member, unique)
        }
    }
}

/// Small, and the same on every machine: a run can be repeated.
package struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
