/// An absolute location path of child steps only: the form that can be spread over the servers.
struct XPathPath {
    struct Step {
        /// The tokens before the predicates.
        var test: [XPathToken]
        /// The tokens inside each pair of brackets.
        var predicates: [[XPathToken]] = []

        var text: String {
            test.map(\.text).joined() + predicates.map { "[\($0.map(\.text).joined(separator: " "))]" }.joined()
        }

        var isAttribute: Bool { test.first?.isSymbol("@") ?? false }

        /// Whether the step can select elements of a level by name.
        func matches(_ level: Level) -> Bool {
            guard test.count == 1 else { return false }
            return test[0].isSymbol("*") || test[0].isName([level.name])
        }
    }

    let steps: [Step]

    /// Nil for everything else: functions, unions, `//`, `..`, `.`, axes, variables, relative paths.
    init?(_ text: String) {
        guard let tokens = XPathTokens.split(text), tokens.first?.isSymbol("/") ?? false else { return nil }
        var steps: [Step] = []
        var brackets = 0
        var parentheses = 0
        var previous: XPathToken?
        for token in tokens {
            defer { previous = token }
            if token.kind == .symbol, ["//", "..", "::", "$", ":"].contains(token.text) { return nil }
            if brackets > 0 {
                // A path that starts at the root leaves the element.
                if token.isSymbol("/"), !Self.endsStep(previous) { return nil }
                brackets += token.isSymbol("[") ? 1 : token.isSymbol("]") ? -1 : 0
                if brackets > 0 { steps[steps.count - 1].append(inPredicate: token) }
            } else if token.isSymbol("/"), parentheses == 0 {
                steps.append(Step(test: []))
            } else if token.isSymbol("[") {
                guard !steps[steps.count - 1].test.isEmpty else { return nil }
                brackets = 1
                steps[steps.count - 1].predicates.append([])
            } else {
                // Behind a predicate only another one or the next step may follow.
                guard steps[steps.count - 1].predicates.isEmpty else { return nil }
                parentheses += token.isSymbol("(") ? 1 : token.isSymbol(")") ? -1 : 0
                steps[steps.count - 1].test.append(token)
            }
        }
        guard brackets == 0, parentheses == 0, steps.allSatisfy({ Self.isTest($0.test) }) else { return nil }
        self.steps = steps
    }

    private static func isTest(_ test: [XPathToken]) -> Bool {
        switch test.count {
        case 1: test[0].kind == .name || test[0].isSymbol("*")
        case 2: test[0].isSymbol("@") && (test[1].kind == .name || test[1].isSymbol("*"))
        case 3: test[0].kind == .name && test[1].isSymbol("(") && test[2].isSymbol(")")
        default: false
        }
    }

    private static func endsStep(_ token: XPathToken?) -> Bool {
        guard let token else { return false }
        return token.kind == .name && !token.isName(["and", "or", "div", "mod"])
            || token.kind == .symbol && ["]", ")", ".", "*"].contains(token.text)
    }
}

extension XPathPath.Step {
    fileprivate mutating func append(inPredicate token: XPathToken) {
        predicates[predicates.count - 1].append(token)
    }
}
