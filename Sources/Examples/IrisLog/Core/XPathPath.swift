/// An absolute location path of child steps: the form that can be spread over the servers.
///
/// Behind the steps may be a `//` and what never leaves the elements they select. Such a path cannot be spread,
/// but its steps still tell which subtree is needed.
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
    /// Whether `//` and more follow the steps.
    let hasDescendants: Bool

    /// Nil for everything else: functions, unions, a leading `//`, `..`, `.`, axes, variables, relative paths.
    init?(_ text: String) {
        guard let tokens = XPathTokens.split(text), tokens.first?.isSymbol("/") ?? false else { return nil }
        var steps: [Step] = []
        var brackets = 0
        var parentheses = 0
        var previous: XPathToken?
        var descendants: ArraySlice<XPathToken> = []
        for (index, token) in tokens.enumerated() {
            defer { previous = token }
            if token.isSymbol("//"), brackets == 0, parentheses == 0 {
                descendants = tokens[index...]
                break
            }
            if token.kind == .symbol, ["//", "..", "::", "$", ":"].contains(token.text) { return nil }
            if brackets > 0 {
                // A path that starts at the root leaves the element.
                if token.isSymbol("/"), previous?.endsStep != true { return nil }
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
        guard descendants.isEmpty || Self.staysInside(descendants) else { return nil }
        self.steps = steps
        hasDescendants = !descendants.isEmpty
    }

    /// Whether the rest of a path is one path still, and looks at nothing outside of what it starts from.
    private static func staysInside(_ rest: ArraySlice<XPathToken>) -> Bool {
        var brackets = 0
        var previous = XPathToken(.symbol, "]")
        for token in rest {
            if token.kind == .symbol, ["..", "::", "$", ":", "|"].contains(token.text) { return false }
            if token.isSymbol("/") || token.isSymbol("//") {
                guard previous.endsStep else { return false }
            } else if token.isSymbol("[") {
                brackets += 1
            } else if token.isSymbol("]") {
                brackets -= 1
            } else if brackets == 0, !continues(previous, with: token) {
                return false
            }
            previous = token
        }
        return brackets == 0
    }

    /// Whether a token outside of predicates belongs to a step; operators and second paths do not.
    private static func continues(_ previous: XPathToken, with token: XPathToken) -> Bool {
        switch token.text {
        case "(": previous.kind == .name
        case ")": previous.isSymbol("(")
        default:
            (token.kind == .name || ["*", "@", "."].contains(token.text) && token.kind == .symbol)
                && ["/", "//", "@"].contains(previous.text)
        }
    }

    private static func isTest(_ test: [XPathToken]) -> Bool {
        switch test.count {
        case 1: test[0].kind == .name || test[0].isSymbol("*")
        case 2: test[0].isSymbol("@") && (test[1].kind == .name || test[1].isSymbol("*"))
        case 3: test[0].kind == .name && test[1].isSymbol("(") && test[2].isSymbol(")")
        default: false
        }
    }
}

extension XPathPath.Step {
    fileprivate mutating func append(inPredicate token: XPathToken) {
        predicates[predicates.count - 1].append(token)
    }
}
