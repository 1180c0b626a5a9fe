/// What the planner must know about a predicate of a hierarchy step.
enum XPathPredicate: Equatable {
    /// `@id='x'`: narrows to one element.
    case id(String)
    /// Decided by the element's own attributes, which every server knows.
    case attributes
    /// Needs what is inside the element, so only its owner can decide.
    case content
    /// Depends on the position among the siblings, or could: not to be spread.
    case positional

    init(_ tokens: [XPathToken]) {
        if tokens.count == 4, tokens[0].isSymbol("@"), tokens[1].isName(["id"]), tokens[2].isSymbol("="),
            tokens[3].kind == .literal
        {
            self = .id(String(tokens[3].text.dropFirst().dropLast()))
        } else if !Self.isBoolean(tokens) || Self.hasPosition(tokens) {
            self = .positional
        } else {
            self = Self.looksInside(tokens) ? .content : .attributes
        }
    }

    private static let comparisons: Set<String> = ["=", "!=", "<", ">", "<=", ">="]
    private static let booleanFunctions: Set<String> = ["not", "contains", "starts-with", "boolean", "true", "false"]

    /// A number as predicate would mean a position, so only what is surely a boolean or a node-set passes.
    private static func isBoolean(_ tokens: [XPathToken]) -> Bool {
        guard let first = tokens.first else { return false }
        var depth = 0
        var closed: Int?
        for (index, token) in tokens.enumerated() {
            if token.isSymbol("(") || token.isSymbol("[") { depth += 1 }
            if token.isSymbol(")") || token.isSymbol("]") {
                depth -= 1
                if depth == 0 && closed == nil { closed = index }
            }
            guard depth == 0, index > 0 else { continue }
            if token.kind == .symbol && comparisons.contains(token.text) { return true }
            if token.isOperation(["and", "or"]) { return true }
        }
        if first.isName(booleanFunctions), tokens.count > 1, tokens[1].isSymbol("(") {
            return closed == tokens.count - 1
        }
        return tokens.allSatisfy { token in
            token.kind == .name || token.kind == .symbol && ["/", "@", "*", "."].contains(token.text)
        }
    }

    private static func hasPosition(_ tokens: [XPathToken]) -> Bool {
        for (index, token) in tokens.enumerated() {
            if token.isName(["position", "last"]), index + 1 < tokens.count, tokens[index + 1].isSymbol("(") {
                return true
            }
            if token.kind == .number, index > 0, tokens[index - 1].isSymbol("[") { return true }
        }
        return false
    }

    private static func looksInside(_ tokens: [XPathToken]) -> Bool {
        for (index, token) in tokens.enumerated() {
            if token.isSymbol(".") { return true }
            let isAttribute = index > 0 && tokens[index - 1].isSymbol("@")
            if token.isSymbol("*") && !isAttribute { return true }
            guard token.kind == .name, !isAttribute else { continue }
            let isFunction = index + 1 < tokens.count && tokens[index + 1].isSymbol("(")
            // Without an argument these look at the element's text.
            let looksAtText =
                isFunction && index + 2 < tokens.count && tokens[index + 2].isSymbol(")")
                && !token.isName(["true", "false", "name", "local-name"])
            if !isFunction || looksAtText || token.isName(["text", "node", "comment"]) { return true }
        }
        return false
    }
}
