extension Command {
    /// All that may come of it: one outcome, but for ``popAny``, where the server has the choice.
    ///
    /// The client never uses a command on a key of another type, so there is no outcome for that.
    package func outcomes(_ entry: Entry?) -> [Outcome] {
        switch self {
        case .set(let text): [Outcome(reply: .ok, entry: Entry(.text(text)))]
        case .setExpiring(let text): [Outcome(reply: .ok, entry: Entry(.text(text), expires: true))]
        case .get, .getAndDelete, .append, .increase: textOutcomes(entry)
        case .push, .pop, .length: listOutcomes(entry)
        case .put, .rank: fieldOutcomes(entry)
        case .add, .remove, .popAny, .members: setOutcomes(entry)
        case .delete: [Outcome(reply: .integer(entry == nil ? 0 : 1), entry: nil)]
        case .expire: [expiring(entry, true, reply: entry == nil ? 0 : 1)]
        case .persist: [expiring(entry, false, reply: entry?.expires == true ? 1 : 0)]
        }
    }

    private func expiring(_ entry: Entry?, _ expires: Bool, reply: Int) -> Outcome {
        var entry = entry
        entry?.expires = expires
        return Outcome(reply: .integer(reply), entry: entry)
    }

    private func textOutcomes(_ entry: Entry?) -> [Outcome] {
        var text: String?
        if case .text(let found)? = entry?.value { text = found }
        let expires = entry?.expires ?? false
        switch self {
        case .append(let more):
            let whole = (text ?? "") + more
            return [Outcome(reply: .integer(whole.utf8.count), entry: Entry(.text(whole), expires: expires))]
        case .increase(let number):
            let sum = (text.flatMap { Int($0) } ?? 0) + number
            return [Outcome(reply: .integer(sum), entry: Entry(.text("\(sum)"), expires: expires))]
        case .getAndDelete: return [Outcome(reply: .bulk(text), entry: nil)]
        default: return [Outcome(reply: .bulk(text), entry: entry)]
        }
    }

    private func listOutcomes(_ entry: Entry?) -> [Outcome] {
        var list: [String] = []
        if case .list(let found)? = entry?.value { list = found }
        let expires = entry?.expires ?? false
        switch self {
        case .push(let text):
            list.insert(text, at: 0)
            return [Outcome(reply: .integer(list.count), entry: Entry(.list(list), expires: expires))]
        case .pop:
            let last = list.popLast()
            return [Outcome(reply: .bulk(last), entry: Entry(.list(list), expires: expires).orNothing)]
        default: return [Outcome(reply: .integer(list.count), entry: entry)]
        }
    }

    private func fieldOutcomes(_ entry: Entry?) -> [Outcome] {
        let expires = entry?.expires ?? false
        switch self {
        case .put(let field, let text):
            var hash: [String: String] = [:]
            if case .hash(let found)? = entry?.value { hash = found }
            let isNew = hash.updateValue(text, forKey: field) == nil
            return [Outcome(reply: .integer(isNew ? 1 : 0), entry: Entry(.hash(hash), expires: expires))]
        case .rank(let member, let score):
            var sorted: [String: Int] = [:]
            if case .sorted(let found)? = entry?.value { sorted = found }
            let isNew = sorted.updateValue(score, forKey: member) == nil
            return [Outcome(reply: .integer(isNew ? 1 : 0), entry: Entry(.sorted(sorted), expires: expires))]
        default: return []
        }
    }

    private func setOutcomes(_ entry: Entry?) -> [Outcome] {
        var set: Set<String> = []
        if case .set(let found)? = entry?.value { set = found }
        let expires = entry?.expires ?? false
        func after(_ set: Set<String>) -> Entry? { Entry(.set(set), expires: expires).orNothing }
        switch self {
        case .add(let member):
            let isNew = set.insert(member).inserted
            return [Outcome(reply: .integer(isNew ? 1 : 0), entry: after(set))]
        case .remove(let member):
            let isGone = set.remove(member) != nil
            return [Outcome(reply: .integer(isGone ? 1 : 0), entry: after(set))]
        case .popAny:
            guard !set.isEmpty else { return [Outcome(reply: .bulk(nil), entry: nil)] }
            return set.map { Outcome(reply: .bulk($0), entry: after(set.subtracting([$0]))) }
        default:
            return [Outcome(reply: .array(set.sorted().map { .bulk($0) }), entry: entry)]
        }
    }

    /// Whether a reply is the outcome's; the members of a set come in any order.
    package func agree(_ reply: Reply, _ expected: Reply) -> Bool {
        guard self == .members, let texts = reply.texts else { return reply == expected }
        return Reply.array(texts.sorted().map { .bulk($0) }) == expected
    }
}
